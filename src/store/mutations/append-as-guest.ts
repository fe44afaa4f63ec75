// APPEND and REPLACE where a mailbox of another account is in it. RFC 4314 §4; RFC 8508 §3.4.
import type { AccountId, Uid } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { type FlagSet, seen } from '../flags.ts'
import { type Rights, rightBits } from '../rights.ts'
import { sharedFlags } from '../shared-flags.ts'
import type { Tx } from '../store.ts'
import type { UidRanges } from '../uid-ranges.ts'
import { type Appended, appendMessages, type NewMessage } from './append-messages.ts'
import { expungeMessages } from './expunge-messages.ts'
import { checkRights, lockAccounts, type MailboxRef } from './guest-rights.ts'
import { setGuestSeen } from './guest-seen.ts'

export interface AppendAsGuest extends MailboxRef {
  readonly guest: AccountId
  readonly messages: readonly NewMessage[]
}

/** Flags that the guest has no right to are left out. Throws what `appendMessages` throws. */
export async function appendAsGuest(tx: Tx, args: AppendAsGuest): Promise<Appended> {
  await lockAccounts(tx, [args.account])
  return insertAsGuest(tx, args)
}

async function insertAsGuest(
  tx: Tx,
  { guest, account, mailbox, messages }: AppendAsGuest,
): Promise<Appended> {
  const rights = await checkRights(tx, guest, { account, mailbox }, rightBits.i)
  const isOwner = guest === account
  const allowed = isOwner
    ? messages
    : messages.map(message => ({
        ...message,
        flags: flagsAllowed(message.flags, rights),
        annotations: message.annotations?.filter(({ isShared }) => !isShared || rights & rightBits.n),
      }))
  const appended = await appendMessages(tx, { account, mailbox, messages: allowed })
  if (isOwner || (rights & rightBits.s) === 0) return appended
  const isSeen = (index: number) => ((messages[index]?.flags.system ?? 0) & seen) !== 0
  const uids = appended.uids.filter((_uid, index) => isSeen(index))
  if (uids.length > 0)
    await setGuestSeen(tx, {
      account,
      mailbox,
      guest,
      uids: uids.map(uid => [uid, uid]),
      isSeen: true,
      modSeq: appended.modSeq,
    })
  return appended
}

function flagsAllowed({ system, keywords }: FlagSet, rights: Rights): FlagSet {
  const may = sharedFlags(rights)
  return { system: system & may.system, keywords: may.keywords ? keywords : [] }
}

export interface ReplaceAsGuest {
  readonly guest: AccountId
  /** Where the old message is. */
  readonly source: MailboxRef
  readonly uid: Uid
  /** Where the new one goes. */
  readonly target: MailboxRef
  readonly message: NewMessage
}

/** Throws `no-such-message` when the old message is gone, and what `appendMessages` throws; nothing has changed then. */
export async function replaceAsGuest(
  tx: Tx,
  { guest, source, uid, target, message }: ReplaceAsGuest,
): Promise<Appended> {
  await lockAccounts(tx, [source.account, target.account])
  if (guest !== source.account) await checkRights(tx, guest, source, rightBits.r | rightBits.t | rightBits.e)
  const uids: UidRanges = [[uid, uid]]
  const { uids: gone } = await expungeMessages(tx, { ...source, uids, onlyDeleted: false })
  if (gone.length === 0) throw new StoreError('no-such-message', 'the message to replace is gone')
  return insertAsGuest(tx, { guest, ...target, messages: [message] })
}
