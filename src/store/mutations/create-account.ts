// Makes an account with its first mailboxes and credentials, whole or not at all.
import type { AccountId } from '../../base/ids.ts'
import { assert } from '../../base/assert.ts'
import { StoreError } from '../error.ts'
import type { AccountKind } from '../read/account.ts'
import type { CredentialKind } from '../read/credential.ts'
import type { Tx } from '../store.ts'
import { insertCredential } from './create-credential.ts'
import { directoryChanged } from './directory-changed.ts'

export interface NewCredential {
  readonly kind: CredentialKind
  readonly name: string
  readonly secret: string
  readonly scopes: readonly string[]
  /** Milliseconds since 1970; undefined for never. */
  readonly expiresAt?: number | undefined
}

export interface CreateAccount {
  /** Normalised. */
  readonly address: string
  readonly domain: string
  /** Takes the domain as ours when it is not yet. */
  readonly createDomain: boolean
  readonly displayName: string
  readonly isAdmin: boolean
  /** A person's by default. */
  readonly kind?: AccountKind | undefined
  readonly quotaBytes?: number | undefined
  readonly quotaMessages?: number | undefined
  readonly credentials: readonly NewCredential[]
  /** All are subscribed. */
  readonly mailboxes: readonly { readonly name: string; readonly specialUse?: string | undefined }[]
}

/** Throws `exists`, and `not-found` when the domain is not ours. An id is never given twice: a session of a removed account must not find another's mail. */
export async function createAccount(tx: Tx, args: CreateAccount): Promise<{ account: AccountId }> {
  if (args.createDomain) {
    await tx.run(
      'INSERT INTO domain (name, created_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
      args.domain,
      tx.nowMs,
    )
  } else if (!(await tx.get('SELECT name FROM domain WHERE name = ?', args.domain))) {
    throw new StoreError('not-found', `the domain ${args.domain} is not ours`)
  }
  if (await tx.get('SELECT id FROM account WHERE address = ?', args.address)) {
    throw new StoreError('exists', `the account ${args.address} exists`)
  }
  const next = await tx.get<{ value: AccountId }>(
    `INSERT INTO counter (name, value) VALUES ('account', 1)
     ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value`,
  )
  assert(next !== undefined, 'a counter answers')
  const account = next.value
  const firstValidity = Math.floor(tx.nowMs / 1000)
  await tx.run(
    `INSERT INTO account (id, address, display_name, is_admin, kind, next_mailbox, next_uid_validity, quota_bytes, quota_messages, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    account,
    args.address,
    args.displayName,
    args.isAdmin ? 1 : 0,
    args.kind ?? 'person',
    args.mailboxes.length + 1,
    firstValidity + args.mailboxes.length,
    args.quotaBytes ?? null,
    args.quotaMessages ?? null,
    tx.nowMs,
  )
  const writes: unknown[] = []
  for (const [index, mailbox] of args.mailboxes.entries()) {
    writes.push(
      tx.run(
        `INSERT INTO mailbox (account, id, name, uid_validity, mod_seq, created_mod_seq, special_use, created_at)
         VALUES (?, ?, ?, ?, 1, 1, ?, ?)`,
        account,
        index + 1,
        mailbox.name,
        firstValidity + index,
        mailbox.specialUse ?? null,
        tx.nowMs,
      ),
      tx.run('INSERT INTO subscription (account, name) VALUES (?, ?)', account, mailbox.name),
    )
  }
  await Promise.all(writes)
  for (const credential of args.credentials) await insertCredential(tx, account, credential)
  directoryChanged(tx)
  return { account }
}
