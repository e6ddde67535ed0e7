/** Limits that the host sets on a process, from `/proc/self/limits`. */
import fs from 'node:fs'
import { type Check, ok, problem, skipped, warning } from './check.ts'

const MiB = 1024 * 1024
/** Node takes 1150; checking a chosen password has no room in that. docs/hosting.md has the same figure. */
export const LEAST_ADDRESS_SPACE_MIB = 1300
/** A process of ours has 3 tasks, and a host counts those of all its requests together. */
const LEAST_TASKS = 20
const LEAST_FILE_SIZE = 64 * MiB
/** An append takes 35, reading a log of many files some more; docs/hosting.md has the same figure. */
const LEAST_OPEN_FILES = 64

export function checkLimits(): Check[] {
  try {
    return checkLimitsText(fs.readFileSync('/proc/self/limits', 'utf8'))
  } catch {
    return [skipped('limits', '/proc/self/limits cannot be read')]
  }
}

/** `text` as Linux writes it: name, soft limit, hard limit, unit. */
export function checkLimitsText(text: string): Check[] {
  return [
    atLeast('address space', softLimit(text, 'Max address space'), LEAST_ADDRESS_SPACE_MIB * MiB, {
      text: mebibytes,
      fix: `Raise RLimitMEM (or the memory limit of the plan) to ${LEAST_ADDRESS_SPACE_MIB} MiB; below, the program may not start.`,
    }),
    atLeast('processes and threads', softLimit(text, 'Max processes'), LEAST_TASKS, {
      text: String,
      fix: 'Raise RLimitNPROC: at the limit requests hang or fail.',
    }),
    atLeast('file size', softLimit(text, 'Max file size'), LEAST_FILE_SIZE, {
      text: mebibytes,
      fix: 'Lower `segmentBytes` below the limit, or have the limit raised; larger uploads fail.',
    }),
    atLeast('open files', softLimit(text, 'Max open files'), LEAST_OPEN_FILES, {
      text: String,
      fix: 'Raise the limit of open files (ulimit -n).',
    }),
  ]
}

function softLimit(text: string, name: string): number | undefined {
  const line = text.split('\n').find((row) => row.startsWith(name))
  const value = line?.slice(name.length).trim().split(/\s+/)[0]
  if (value === undefined) return undefined
  return value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value)
}

function atLeast(
  name: string,
  value: number | undefined,
  least: number,
  { text, fix }: { readonly text: (value: number) => string; readonly fix: string },
): Check {
  const title = `limit of ${name}`
  if (value === undefined || Number.isNaN(value)) return skipped(title, 'not told by this system')
  if (value === Number.POSITIVE_INFINITY) return ok(title, 'none')
  if (value >= least) return ok(title, text(value))
  const verdict = value < least / 2 ? problem : warning
  return verdict(title, `${text(value)}, recommended are ${text(least)}`, fix)
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / MiB)} MiB`
}
