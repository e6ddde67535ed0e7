import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** The text of the first code block of a language in a document. */
function codeBlock(document: string, language: string): string {
  const block = document.split(`\n\`\`\`${language}\n`)[1]?.split('\n```\n')[0]
  if (block === undefined) throw new Error(`no block of "${language}"`)
  return block
}

test('the example of docs/diff.md runs and prints what the page says', () => {
  const document = readFileSync(join(root, 'docs/diff.md'), 'utf8')
  const printed = codeBlock(document.slice(document.indexOf('It prints:')), '')
  const folder = mkdtempSync(join(tmpdir(), 'apie-diff-'))
  try {
    const program = codeBlock(document, 'ts').replaceAll("'../src/", `'${root}/src/`)
    writeFileSync(join(folder, 'example.mts'), program)
    const output = execFileSync(process.execPath, [join(folder, 'example.mts')], {
      encoding: 'utf8',
    })
    expect(output).toBe(`${printed}\n`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
