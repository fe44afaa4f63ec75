// STORE by a guest: \Seen is his own, other flags are everybody's, and each needs its right. RFC 4314 §4; RFC 7162 §3.1.3.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { type FlagSet, seen, systemMask } from '../flags.ts'
import { rightBits } from '../rights.ts'
import { sharedFlags } from '../shared-flags.ts'
import type { Tx } from '../store.ts'
import { numbersOf, rangesOf, uidsInRow, type UidRanges } from '../uid-ranges.ts'
import { checkRights } from './guest-rights.ts'
import { setGuestSeen } from './guest-seen.ts'
import { takeModSeq } from './next-mod-seq.ts'
import { changeFlags, type StoredFlags } from './store-flags.ts'

export interface StoreGuestFlags {
  readonly guest: AccountId
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly uids: UidRanges
  readonly mode: 'add' | 'remove' | 'replace'
  readonly flags: FlagSet
  readonly unchangedSince?: ModSeq | undefined
  /** Up to where the guest knows the flags. */
  readonly knownTo?: ModSeq | undefined
}

/** Flags that the guest has no right to stay as they are. Throws `no-such-mailbox` (also where he may not read) and `too-many`. */
export async function storeGuestFlags(tx: Tx, args: StoreGuestFlags): Promise<StoredFlags> {
  const { guest, account, mailbox, mode, flags } = args
  const modSeq = await takeModSeq(tx, account)
  const rights = await checkRights(tx, guest, args, rightBits.r)
  const { uids, unmodified } = await withoutChanged(tx, args)
  const unheard = await changedUnheard(tx, args)
  const may = sharedFlags(rights)
  const shared = { system: flags.system & may.system, keywords: may.keywords ? flags.keywords : [] }
  const isNamed = mode === 'replace' || shared.system !== 0 || shared.keywords.length > 0
  const { changed } = isNamed
    ? await changeFlags(
        tx,
        {
          account,
          mailbox,
          uids,
          mode,
          flags: shared,
          keeps: { system: systemMask & ~may.system, keywords: !may.keywords },
        },
        modSeq,
      )
    : { changed: [] }
  const namesSeen = (flags.system & seen) !== 0
  const changesSeen = (rights & rightBits.s) !== 0 && (mode === 'replace' || namesSeen)
  const isSeen = mode === 'add' || (mode === 'replace' && namesSeen)
  const own = changesSeen ? await setGuestSeen(tx, { account, mailbox, guest, uids, isSeen, modSeq }) : []
  if (own.length > 0) tx.changed(account, modSeq)
  const all = new Set([...numbersOf(changed), ...own])
  const ranges = rangesOf([...all].sort((a, b) => a - b))
  return { modSeq, changed: ranges, surprising: unheard.filter(({ uid }) => all.has(uid)), unmodified }
}

/** Messages that have changed for this guest after `knownTo`. */
async function changedUnheard(
  tx: Tx,
  { guest, account, mailbox, uids, knownTo }: StoreGuestFlags,
): Promise<StoredFlags['surprising']> {
  if (knownTo === undefined) return []
  const unheard: { uid: Uid; modSeq: ModSeq }[] = []
  for (const [first, last] of uids) {
    const rows = await tx.arrays<[uid: Uid, message: ModSeq, own: ModSeq]>(
      `SELECT m.uid, m.mod_seq, coalesce(s.mod_seq, 0) FROM message m
         LEFT JOIN guest_seen s ON s.account = m.account AND s.mailbox = m.mailbox AND s.uid = m.uid AND s.guest = ?
       WHERE m.account = ? AND m.mailbox = ? AND m.uid BETWEEN ? AND ? AND (m.mod_seq > ? OR s.mod_seq > ?)`,
      guest,
      account,
      mailbox,
      first,
      last,
      knownTo,
      knownTo,
    )
    for (const [uid, message, own] of rows) unheard.push({ uid, modSeq: message > own ? message : own })
  }
  return unheard
}

/** Leaves out messages that have changed after `unchangedSince` for this guest. */
async function withoutChanged(
  tx: Tx,
  { guest, account, mailbox, uids, unchangedSince }: StoreGuestFlags,
): Promise<{ readonly uids: UidRanges; readonly unmodified: Uint32Array }> {
  if (unchangedSince === undefined) return { uids, unmodified: uidsInRow([]) }
  const left: (readonly [number, number])[] = []
  const unmodified: Uid[] = []
  for (const [first, last] of uids) {
    const rows = await tx.arrays<[Uid]>(
      `SELECT m.uid FROM message m LEFT JOIN guest_seen s ON s.account = m.account AND s.mailbox = m.mailbox AND s.uid = m.uid AND s.guest = ?
       WHERE m.account = ? AND m.mailbox = ? AND m.uid BETWEEN ? AND ? AND (m.mod_seq > ? OR s.mod_seq > ?) ORDER BY m.uid`,
      guest,
      account,
      mailbox,
      first,
      last,
      unchangedSince,
      unchangedSince,
    )
    let from = first
    for (const [uid] of rows) {
      unmodified.push(uid)
      if (uid > from) left.push([from, uid - 1])
      from = uid + 1
    }
    if (from <= last) left.push([from, last])
  }
  return { uids: left, unmodified: uidsInRow(unmodified) }
}
