// Fills a new store with the demo's two accounts and their mail.
import { randomBytes } from 'node:crypto'
import { createAccount, findAccountByName, openDirectory } from '../../account/directory.ts'
import { systemClock } from '../../base/clock.ts'
import { importArchive } from '../../server/archive/importer.ts'
import type { ArchiveEntry } from '../../server/archive/archived-message.ts'
import type { Config } from '../../server/config.ts'
import { openStore } from '../../store/open-store.ts'
import { type DemoMessage, demoMessages } from './messages.ts'
import { ann, ben } from './people.ts'

export interface DemoAccount {
  readonly address: string
  readonly password: string
}

/** Whose mail the demo has. The passwords are no secret: only this machine can reach it. */
export const demoAccounts: readonly DemoAccount[] = [
  { address: ann.address, password: 'ann-demo' },
  { address: ben.address, password: 'ben-demo' },
]

/** Makes what is missing: nothing in a store that the demo has filled before. How many messages were added. */
export async function fillStore(config: Config): Promise<number> {
  const store = await openStore({ dataDir: config.dataDir })
  try {
    const directory = openDirectory(store, config)
    const messages = demoMessages(systemClock.now(), () => randomBytes(9).toString('hex'))
    let added = 0
    for (const { address, password } of demoAccounts) {
      if (await findAccountByName(directory, address)) continue
      const account = await createAccount(directory, { address, password, createDomain: true })
      const owner = address.split('@')[0]
      const own = messages.filter(message => message.owner === owner)
      added += (await importArchive(entriesOf(own), { store, account })).added
    }
    return added
  } finally {
    await store.close()
  }
}

/** In the order in which they would have arrived. */
async function* entriesOf(messages: readonly DemoMessage[]): AsyncGenerator<ArchiveEntry> {
  for (const message of messages.toSorted((a, b) => a.receivedAt - b.receivedAt)) {
    yield { kind: 'message', source: 'demo', ...message }
  }
}
