/** `apie migrate`: makes or upgrades the schema of a database. */
import { type CommandCall, EXIT } from './command.ts'

export async function runMigrate({ services, terminal }: CommandCall): Promise<number> {
  const migrated = await services.migrateStore()
  await terminal.out(`${describe(migrated)}\n`)
  return EXIT.ok
}

function describe(migrated: { readonly from: number; readonly to: number } | undefined): string {
  if (!migrated) return 'This engine has no schema: nothing to do'
  const { from, to } = migrated
  if (from === to) return `The schema has version ${to}: nothing to do`
  return from === 0 ? `Made the schema, version ${to}` : `Upgraded the schema from ${from} to ${to}`
}
