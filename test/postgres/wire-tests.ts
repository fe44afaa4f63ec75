// Runs the tests of a protocol once more, over stores on PostgreSQL.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** `folder` is one of test/; `skip` holds names of files that open no store, or a place of their own. */
export async function runWireTests(folder: string, skip: readonly string[] = []): Promise<void> {
  process.env['RESTANTE_TEST_STORE'] = 'postgres'
  const root = join(import.meta.dirname, '..', folder)
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (name.endsWith('.test.ts') && !skip.includes(name)) await import(join(root, name))
  }
}
