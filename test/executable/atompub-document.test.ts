/** The commands of the page about the AtomPub API, word for word. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Serve, startServe } from '../support/serve.ts'
import { runTour, tourOf } from '../support/tour.ts'

let server: Serve
beforeAll(async () => {
  server = await startServe()
})
afterAll(() => server.stop())

it('the commands of docs/atompub.md run as they stand, one after the other in one shell', async () => {
  expect(tourOf('docs/atompub.md')).toHaveLength(2)
  const { url, dataFolder, authorization } = server
  const [, password = ''] = atob(authorization.replace('Basic ', '')).split(':')
  const shell = await runTour('docs/atompub.md', { url, dataFolder, password })
  expect(shell.status, `${shell.out}\n${shell.err}`).toBe(0)
})
