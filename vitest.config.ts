import { defineConfig } from 'vitest/config'
import { seededBug, withBug } from './test/crash/seeded-bugs.ts'

const bug = seededBug()

/**
 * Tests that start many processes may lose one to a crowded machine. What fails twice in a row is a defect; the
 * crash suite, whose failures are never to be tried away, has no second try.
 */
const RETRIES = 1

/** Of the crash tests those that work in their own process: what their children do is counted by nobody. */
const COUNTED =
  'test/crash/{damage,faults,index,power-loss*,records,scavenge,structure,vanishing}.test.ts'

/** The projects of the test suite; `npm run check` and `npm test` run all of them. */
export default defineConfig({
  test: {
    globals: false,
    coverage: {
      provider: 'v8',
      include: ['src/**'],
    },
    projects: [
      {
        test: {
          name: 'unit',
          globalSetup: ['test/support/use-postgres.ts'],
          retry: RETRIES,
          testTimeout: 60_000,
          include: [
            'test/{broker,cli,config,domain,http,api,kit,storage,wire}/**/*.test.ts',
            'test/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'contract',
          globalSetup: ['test/support/use-postgres.ts', 'test/support/use-mongodb.ts'],
          testTimeout: 60_000,
          include: ['test/contract/**/*.test.ts', 'test/disk/**/*.test.ts'],
        },
      },
      {
        test: {
          name: 'gateway',
          globalSetup: ['test/support/use-postgres.ts'],
          retry: RETRIES,
          include: ['test/gateway/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        plugins: bug
          ? [
              {
                name: 'seeded-bug',
                enforce: 'pre',
                transform: (source, id) => withBug(bug, id, source),
              },
            ]
          : [],
        test: {
          name: 'crash',
          include: [process.argv.includes('--coverage') ? COUNTED : 'test/crash/**/*.test.ts'],
          globalSetup: ['test/support/install-crash-tools.ts'],
          hookTimeout: 300_000,
          // About half of the files keep one processor busy, and nothing in them is a matter of time.
          maxWorkers: 2,
          maxConcurrency: 2,
          testTimeout: 600_000,
        },
      },
      {
        test: {
          name: 'security',
          retry: RETRIES,
          include: ['test/security/**/*.test.ts'],
          globalSetup: ['test/support/install-apache.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'executable',
          retry: RETRIES,
          include: ['test/executable/**/*.test.ts'],
          globalSetup: ['test/support/install-apache.ts', 'test/support/install-xml-tools.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
