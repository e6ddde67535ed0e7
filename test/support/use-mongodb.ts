/**
 * Runs once before the tests that go through every engine, and says where MongoDB is left out: no package
 * brings a server, so that only the one named by `APIE_TEST_MONGODB_URL` is there.
 */
import { mongoUrl } from './mongodb-store.ts'

export function setup(): void {
  if (mongoUrl() !== undefined) return
  process.stderr.write('tests with MongoDB are left out: APIE_TEST_MONGODB_URL names no server\n')
}
