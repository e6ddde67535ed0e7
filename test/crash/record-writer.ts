/**
 * A writer of records that is meant to be killed: raises counters by one, each by compare-and-set, and prints
 * a line for each attempt and for each that was acknowledged. Arguments: folder, number of counters.
 */
import { writeSync } from 'node:fs'
import { AppError } from '../../src/domain/app-error.ts'
import { openRecords } from './record-store.ts'

const [folder = '', counters = '5'] = process.argv.slice(2)
const { records } = await openRecords(folder)
for (;;) {
  const key = `g/c${Math.floor(Math.random() * Number(counters))}`
  writeSync(1, `try ${key}\n`)
  try {
    const found = await records.read('counter', key)
    const { count = 0 } = (found?.value ?? {}) as { readonly count?: number }
    const written = await records.write(
      'counter',
      key,
      { count: count + 1 },
      found?.revision ?? 'absent',
    )
    writeSync(1, `ok ${key} ${count + 1} ${written.revision}\n`)
  } catch (error) {
    const code = error instanceof AppError ? error.code : String((error as Error).stack)
    writeSync(1, `failed ${key} ${code.replaceAll('\n', ' ')}\n`)
  }
}
