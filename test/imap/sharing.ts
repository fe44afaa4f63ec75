// Three people of one domain, each with a connection, for tests of shared mailboxes.
import type { TestContext } from 'node:test'
import { findAccountByAddress } from '../../src/store/read/account.ts'
import type { AccountId } from '../../src/base/ids.ts'
import type { ImapContext } from '../../src/imap/session.ts'
import type { ImapClient } from './client.ts'
import { startImap, type TestServer } from './harness.ts'

export interface Sharing {
  readonly server: TestServer
  readonly alice: ImapClient
  readonly bob: ImapClient
  readonly carol: ImapClient
  /** Another connection of one of them. */
  enter(name: 'alice' | 'bob' | 'carol'): Promise<ImapClient>
  accountOf(name: string): Promise<AccountId>
}

/** What others call alice's mailbox. */
export function ofAlice(mailbox: string): string {
  return `"Other Users/alice@example.test/${mailbox}"`
}

export async function createSharing(t: TestContext, changes: Partial<ImapContext> = {}): Promise<Sharing> {
  const server = await startImap(t, changes)
  const enter = async (name: string) => {
    const client = await server.connect()
    await client.login(`${name}@example.test`)
    return client
  }
  const accountOf = async (name: string) => {
    const row = await findAccountByAddress(server.store.reader, `${name}@example.test`)
    if (!row) throw new Error(`no account ${name}`)
    return row.id
  }
  return {
    server,
    alice: await enter('alice'),
    bob: await enter('bob'),
    carol: await enter('carol'),
    enter,
    accountOf,
  }
}
