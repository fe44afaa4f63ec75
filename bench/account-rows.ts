// Makes thousands of accounts in a store that no server has open. They share one password, so it is hashed once, not by each.
import { firstMailboxes } from '../src/account/directory.ts'
import { deriveCredentials } from '../src/account/set-password.ts'
import { PasswordHasher } from '../src/sasl/password.ts'
import { openStore } from '../src/store/open-store.ts'
import { domain, password, user } from './server.ts'

/** Makes the accounts of server.ts with these numbers. */
export async function makeAccounts(folder: string, count: number): Promise<void> {
  const credentials = await deriveCredentials(new PasswordHasher(), password, false)
  const store = await openStore({ dataDir: folder })
  try {
    const made = Array.from({ length: count }, (_, number) =>
      store.mutate('createAccount', {
        address: user(number),
        domain,
        createDomain: true,
        displayName: '',
        isAdmin: false,
        kind: 'person',
        credentials,
        mailboxes: firstMailboxes,
      }),
    )
    await Promise.all(made)
  } finally {
    await store.close()
  }
}
