// A mailbox filled behind the server's back, for tests of FETCH and SEARCH that need many messages or odd ones.
import type { TestContext } from 'node:test'
import type { AccountId, MailboxId } from '../../../src/base/ids.ts'
import { summarize } from '../../../src/message/summary.ts'
import type { FlagSet } from '../../../src/store/flags.ts'
import type { Store } from '../../../src/store/store.ts'
import type { ImapClient } from '../client.ts'
import { startImap, type TestServer } from '../harness.ts'

export interface Stored {
  readonly bytes: Buffer
  readonly receivedAt?: number
  readonly flags?: FlagSet
}

/** Puts messages into a mailbox as they are. */
export async function fill(
  store: Store,
  account: AccountId,
  messages: readonly Stored[],
  mailbox = 'INBOX',
): Promise<void> {
  const row = await store.reader.get<{ id: MailboxId }>(
    'SELECT id FROM mailbox WHERE account = ? AND name = ?',
    account,
    mailbox,
  )
  if (!row) throw new Error(`no mailbox ${mailbox}`)
  await store.mutate('appendMessages', {
    account,
    mailbox: row.id,
    messages: messages.map(({ bytes, receivedAt, flags }) => ({
      body: store.bodyOf(bytes),
      email: summarize(bytes),
      ...(receivedAt !== undefined && { receivedAt }),
      flags: flags ?? { system: 0, keywords: [] },
    })),
  })
}

/** A server whose INBOX holds `messages`, and a client that has selected it. */
export async function openInbox(
  t: TestContext,
  messages: readonly (Stored | string)[],
): Promise<TestServer & { readonly imap: ImapClient }> {
  const server = await startImap(t)
  await fill(
    server.store,
    server.account,
    messages.map(one => (typeof one === 'string' ? { bytes: Buffer.from(one, 'latin1') } : one)),
  )
  const imap = await server.client()
  await imap.ok('SELECT INBOX')
  return { ...server, imap }
}

/** The value of an item in a FETCH response: a literal's or quoted string's content, or the bare word. Undefined when it is not there. */
export function valueOf(response: string, item: string): string | undefined {
  const at = response.indexOf(`${item} `, response.indexOf('FETCH (') + 6)
  if (at < 0) return undefined
  const rest = response.slice(at + item.length + 1)
  const literal = /^~?\{(\d+)\}\r\n/.exec(rest)
  if (literal) return rest.slice(literal[0].length, literal[0].length + Number(literal[1]))
  if (rest.startsWith('"')) return rest.slice(1, rest.indexOf('"', 1))
  if (rest.startsWith('(')) return rest.slice(0, rest.indexOf(')') + 1)
  return /^[^ )]*/.exec(rest)?.[0]
}
