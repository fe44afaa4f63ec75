// \Seen of guests, who each have their own. RFC 4314 §2.1 (the right "s"); RFC 7162 §3.1: its modSeqs are the owner's account's.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import type { Tx } from '../store.ts'
import type { UidRanges } from '../uid-ranges.ts'

export interface GuestSeen {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly guest: AccountId
  readonly uids: UidRanges
  readonly isSeen: boolean
  /** The account is locked and has reached it. */
  readonly modSeq: ModSeq
}

/** Gives the guest a row of his own. */
export async function admitGuest(
  tx: Tx,
  { account, mailbox, guest }: Pick<GuestSeen, 'account' | 'mailbox' | 'guest'>,
): Promise<void> {
  const isNew = await tx.run(
    `INSERT INTO guest (account, mailbox, guest, mod_seq) SELECT account, id, ?, 0 FROM mailbox WHERE account = ? AND id = ?
     ON CONFLICT (account, mailbox, guest) DO NOTHING`,
    guest,
    account,
    mailbox,
  )
  if (isNew > 0)
    await tx.run('UPDATE mailbox SET guests = guests + 1 WHERE account = ? AND id = ?', account, mailbox)
}

/** The UIDs whose \Seen has changed for the guest. */
export async function setGuestSeen(tx: Tx, args: GuestSeen): Promise<readonly Uid[]> {
  const { account, mailbox, guest, modSeq, isSeen } = args
  await admitGuest(tx, args)
  const changed: Uid[] = []
  for (const [first, last] of args.uids) {
    const rows = isSeen
      ? await tx.arrays<[Uid]>(
          `INSERT INTO guest_seen (account, mailbox, uid, guest, is_seen, mod_seq)
           SELECT account, mailbox, uid, ?, 1, ? FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ?
           ON CONFLICT (account, mailbox, uid, guest) DO UPDATE SET is_seen = 1, mod_seq = excluded.mod_seq
             WHERE guest_seen.is_seen = 0 RETURNING uid`,
          guest,
          modSeq,
          account,
          mailbox,
          first,
          last,
        )
      : await tx.arrays<[Uid]>(
          `UPDATE guest_seen SET is_seen = 0, mod_seq = ?
           WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND guest = ? AND is_seen = 1 RETURNING uid`,
          modSeq,
          account,
          mailbox,
          first,
          last,
          guest,
        )
    for (const [uid] of rows) changed.push(uid)
  }
  if (changed.length > 0)
    await tx.run(
      'UPDATE guest SET mod_seq = ?, seen = seen + ? WHERE account = ? AND mailbox = ? AND guest = ?',
      modSeq,
      isSeen ? changed.length : -changed.length,
      account,
      mailbox,
      guest,
    )
  return changed.sort((a, b) => a - b)
}

/** Forgets what guests have seen of messages in `ranges` that are gone. */
export async function forgetGuestSeen(
  tx: Tx,
  account: AccountId,
  mailbox: MailboxId,
  ranges: UidRanges,
): Promise<void> {
  const seen = new Map<AccountId, number>()
  for (const [first, last] of ranges) {
    const rows = await tx.arrays<[guest: AccountId, isSeen: number]>(
      `DELETE FROM guest_seen WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND NOT EXISTS
         (SELECT 1 FROM message m WHERE m.account = guest_seen.account AND m.mailbox = guest_seen.mailbox AND m.uid = guest_seen.uid)
       RETURNING guest, is_seen`,
      account,
      mailbox,
      first,
      last,
    )
    for (const [guest, isSeen] of rows) seen.set(guest, (seen.get(guest) ?? 0) + isSeen)
  }
  for (const [guest, count] of seen)
    await tx.run(
      'UPDATE guest SET seen = seen - ? WHERE account = ? AND mailbox = ? AND guest = ?',
      count,
      account,
      mailbox,
      guest,
    )
}

/** Removes all that guests and rights have to do with a mailbox that goes. */
export async function forgetGuests(tx: Tx, account: AccountId, mailbox: MailboxId): Promise<void> {
  await Promise.all([
    tx.run('DELETE FROM acl WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM guest_seen WHERE account = ? AND mailbox = ?', account, mailbox),
    tx.run('DELETE FROM guest WHERE account = ? AND mailbox = ?', account, mailbox),
  ])
}
