/** What the README says that the program knows better. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsTable } from '../../src/cli/markdown.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test('the table of settings is the one that the program uses', () => {
  const [, table] = /<!-- settings -->\n([\s\S]*?)<!-- \/settings -->/.exec(readme) ?? []
  expect(table?.trim()).toBe(settingsTable().trim())
})

test('every document that it points to is there', () => {
  const links = Array.from(readme.matchAll(/\]\(([^)#]+\.md)[^)]*\)/g), ([, link = '']) => link)
  expect(links.length).toBeGreaterThan(5)
  for (const link of links) {
    expect(() => readFileSync(new URL(`../../${link}`, import.meta.url)), link).not.toThrow()
  }
})
