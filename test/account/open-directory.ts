// A directory over an empty store in memory, with hashes that cost next to nothing.
import type { z } from 'zod'
import { type AccountConfig, accountConfigSchema } from '../../src/account/config.ts'
import { type Directory, openDirectory } from '../../src/account/directory.ts'
import { openTestStore } from '../open-test-store.ts'

export type ConfigInput = z.input<typeof accountConfigSchema>

/** Tests need no expensive hashes. */
export function testConfig(input: ConfigInput = {}): AccountConfig {
  return accountConfigSchema.parse({
    ...input,
    addressing: { defaultDomain: 'example.org', ...input.addressing },
    login: { hash: { memoryKib: 8, passes: 1 }, ...input.login },
  })
}

/** The directory has the domain example.org. */
export async function openTestDirectory(input: ConfigInput = {}, now = Date.now): Promise<Directory> {
  const store = await openTestStore({ clock: { now } })
  const directory = openDirectory(store, testConfig(input))
  await store.mutate('createDomain', { name: 'example.org' })
  return directory
}
