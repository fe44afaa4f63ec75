// Accounts and messages for tests of the store.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AccountId, MailboxId } from '../../src/base/ids.ts'
import { summarize } from '../../src/message/summary.ts'
import { type FlagSet, noFlags } from '../../src/store/flags.ts'
import type { NewMessage } from '../../src/store/mutations/append-messages.ts'
import type { NewQueueMessage } from '../../src/store/queue-message.ts'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import type { Store } from '../../src/store/store.ts'

let addresses = 0

/** An account with INBOX, Sent and Trash. */
export async function addAccount(
  store: Store,
  quota: { quotaBytes?: number; quotaMessages?: number } = {},
): Promise<AccountId> {
  const { account } = await store.mutate('createAccount', {
    address: `user${++addresses}@example.org`,
    domain: 'example.org',
    createDomain: true,
    displayName: '',
    isAdmin: false,
    credentials: [],
    mailboxes: [
      { name: 'INBOX' },
      { name: 'Sent', specialUse: '\\Sent' },
      { name: 'Trash', specialUse: '\\Trash' },
    ],
    ...quota,
  })
  return account
}

export async function mailboxId(store: Store, account: AccountId, name: string): Promise<MailboxId> {
  const mailbox = await findMailbox(store.reader, account, name)
  if (!mailbox) throw new Error(`no mailbox ${name}`)
  return mailbox.id
}

let messageIds = 0

/** A message with its own Message-Id; `fields` are whole header lines without CRLF. */
export function mail(
  store: Store,
  text = 'Hello',
  options: { fields?: readonly string[]; flags?: FlagSet; receivedAt?: number } = {},
): NewMessage {
  const fields = options.fields ?? [`Message-ID: <${++messageIds}@example.org>`, 'Subject: Greetings']
  const bytes = Buffer.from(`From: a@example.org\r\n${fields.join('\r\n')}\r\n\r\n${text}\r\n`)
  return {
    body: store.bodyOf(bytes),
    email: summarize(bytes),
    flags: options.flags ?? noFlags,
    receivedAt: options.receivedAt,
  }
}

/** A message for the queue, to one recipient who has been due for long. */
export function queued(store: Store, text = 'out'): NewQueueMessage {
  return {
    body: store.bodyOf(Buffer.from(`Subject: out\r\n\r\n${text}\r\n`)),
    mailFrom: 'user@example.org',
    skipBytes: 0,
    prefix: 'Received: here\r\n',
    bodyType: '8BITMIME',
    smtpUtf8: false,
    ret: 'FULL',
    envelopeId: null,
    submitter: null,
    messageId: '<out@example.org>',
    expiresAt: 2 * 10 ** 12,
    recipients: [
      {
        address: 'a@example.net',
        domain: 'example.net',
        notify: null,
        originalRecipient: null,
        dueAt: 10 ** 12,
      },
    ],
  }
}

/** A test, or `node:test` for all the tests of a file. */
export interface Ending {
  after(end: () => void | Promise<void>): void
}

/** A folder that is removed after the test. */
export function temporaryFolder(t: Ending): string {
  const path = mkdtempSync(join(tmpdir(), 'restante-store-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}
