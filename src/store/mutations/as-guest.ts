// Runs another mutation for somebody who does not own the mailbox, if he has the rights in that very transaction. RFC 4314 §4.
import type { AccountId } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Rights } from '../rights.ts'
import type { Tx } from '../store.ts'
import { annotateMessages } from './annotate-messages.ts'
import { createMailbox } from './create-mailbox.ts'
import { createUrlKey } from './create-url-key.ts'
import { deleteMailbox } from './delete-mailbox.ts'
import { expungeMessages } from './expunge-messages.ts'
import { checkRights, lockAccounts, type MailboxRef } from './guest-rights.ts'
import { renameMailbox } from './rename-mailbox.ts'
import { setAnnotations } from './set-annotations.ts'
import { setRights } from './set-rights.ts'

/** What guests do just as owners do. */
export const guestMutations = {
  annotateMessages,
  createMailbox,
  createUrlKey,
  deleteMailbox,
  expungeMessages,
  renameMailbox,
  setAnnotations,
  setRights,
} as const

export type GuestMutationName = keyof typeof guestMutations
export type GuestMutationArgs<Name extends GuestMutationName> = Parameters<(typeof guestMutations)[Name]>[1]
export type GuestMutationResult<Name extends GuestMutationName> = Awaited<
  ReturnType<(typeof guestMutations)[Name]>
>

export interface AsGuest {
  readonly guest: AccountId
  readonly needs: readonly (MailboxRef & {
    readonly rights: Rights
    /** What its owner must still call it, where the mutation goes by names. */
    readonly name?: string | undefined
  })[]
  readonly call: {
    readonly [Name in GuestMutationName]: { readonly name: Name; readonly args: GuestMutationArgs<Name> }
  }[GuestMutationName]
}

/** What the mutation gives. Throws `no-such-mailbox` where a right is missing, and what the mutation throws. */
export async function asGuest(tx: Tx, { guest, needs, call }: AsGuest): Promise<unknown> {
  const accounts = needs.map(({ account }) => account)
  if (call.name === 'setRights') accounts.push(call.args.grantee)
  await lockAccounts(tx, accounts)
  for (const need of needs) {
    await checkRights(tx, guest, need, need.rights)
    if (need.name !== undefined) await checkName(tx, need, need.name)
  }
  const mutation = guestMutations[call.name] as (tx: Tx, args: unknown) => Promise<unknown>
  return mutation(tx, call.args)
}

async function checkName(tx: Tx, { account, mailbox }: MailboxRef, name: string): Promise<void> {
  const row = await tx.get<{ name: string }>(
    'SELECT name FROM mailbox WHERE account = ? AND id = ?',
    account,
    mailbox,
  )
  if (row?.name !== name) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
}
