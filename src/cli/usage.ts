/** Refusals of a wrong call, each with the nearest thing that exists. */
import { AppError } from '../domain/app-error.ts'
import { nearest } from '../kit/nearest.ts'

export function usage(message: string, hint = 'See "apie help".'): AppError {
  return new AppError('usage', `${message}. ${hint}`)
}

export function unknownCommand(name: string, known: readonly string[]): AppError {
  const guess = nearest(name, known)
  return usage(`There is no command "${printable(name)}"${didYouMean(guess)}`)
}

/** `given` as it was typed, `known` the names without dashes. */
export function unknownOption(given: string, known: readonly string[], command: string): AppError {
  const guess = nearest(given.replace(/^-+/, '').replace(/=.*$/s, ''), known)
  const suggestion = didYouMean(guess === undefined ? undefined : `--${guess}`)
  return usage(
    `"apie ${command}" has no option "${printable(given)}"${suggestion}`,
    `See "apie help ${command}".`,
  )
}

function didYouMean(guess: string | undefined): string {
  return guess === undefined ? '' : `, the nearest is "${guess}"`
}

/** A word of the caller without what a terminal would obey. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?').slice(0, 60)
}
