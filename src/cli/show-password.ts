/** A password that was made: it is printed once, and who cannot read it then needs another one. */
import { AppError } from '../domain/app-error.ts'
import type { CommandCall } from './command.ts'

/**
 * @param name of its account, which has the password already
 * @param password `undefined` where the account has one that was chosen
 * @throws AppError `output-failed` that tells how to make another one
 */
export async function showPassword(
  { terminal }: CommandCall,
  name: string,
  password?: string,
): Promise<void> {
  if (password === undefined) return
  await terminal.err('its password, which is not shown again:\n')
  try {
    await terminal.out(`${password}\n`)
  } catch (error) {
    throw lostPassword(name, error)
  }
}

export function lostPassword(name: string, error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  const { code, message, facts } = error
  const advice = `the password of ${name} is lost: "apie user passwd ${name} --generate" makes another one`
  return new AppError(code, `${message}; ${advice}`, facts, error)
}
