// Changes flags. RFC 9051 §6.4.6; RFC 7162 §3.1.3 (UNCHANGEDSINCE).
import { type Awaitable, together } from '../../base/awaitable.ts'
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import { deleted, type FlagMask, type FlagSet, keywordShift, seen, systemMask } from '../flags.ts'
import type { Tx } from '../store.ts'
import { rangesOf, uidsInRow, type UidRange, type UidRanges } from '../uid-ranges.ts'
import { internKeywords, splitKeywords } from './intern-keywords.ts'
import { takeModSeq } from './next-mod-seq.ts'
import { recordChanges } from './record-changes.ts'

export interface StoreFlags {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly uids: UidRanges
  readonly mode: 'add' | 'remove' | 'replace'
  readonly flags: FlagSet
  readonly unchangedSince?: ModSeq | undefined
  /** What `replace` leaves as it is; `flags` has none of it. */
  readonly keeps?: { readonly system: number; readonly keywords: boolean } | undefined
  /** Up to where the caller knows the flags. */
  readonly knownTo?: ModSeq | undefined
}

export interface StoredFlags {
  /** Of the messages that changed; the mailbox's own where none did. */
  readonly modSeq: ModSeq
  /** The mailbox's modSeq before, where `changed` is all that led from there to `modSeq`. */
  readonly follows?: ModSeq
  /** Ascending; each UID of a range is a message that changed. */
  readonly changed: UidRanges
  /** Those of them that others, or the caller, had changed after `knownTo`, with the modSeq of that: their flags now are not what the caller would think. */
  readonly surprising: readonly { readonly uid: Uid; readonly modSeq: ModSeq }[]
  /** Refused because they changed after `unchangedSince`; ascending. */
  readonly unmodified: Uint32Array
}

/** Messages whose flags are so already keep their modSeq. Throws `no-such-mailbox` and `too-many`. */
export async function storeFlags(tx: Tx, args: StoreFlags): Promise<StoredFlags> {
  return changeFlags(tx, args, takeModSeq(tx, args.account))
}

/** The same with the account locked, at `taken`. */
export async function changeFlags(tx: Tx, args: StoreFlags, taken: Awaitable<ModSeq>): Promise<StoredFlags> {
  const { account, mailbox, uids } = args
  const mask = maskOf(args)
  const isMany = ([first, last]: UidRange) => last - first >= limits.store.briefMessages
  const [modSeq, known, ...found] = await together([
    taken,
    tx.get<{ mod_seq: ModSeq; changes: number }>(
      'SELECT mod_seq, changes FROM mailbox WHERE account = ? AND id = ?',
      account,
      mailbox,
    ),
    ...uids.map(range => (mask && isMany(range) ? undefined : readEach(tx, args, range))),
  ])
  if (!known) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  const changer = flagChanger(tx, args)
  const change: Change = {
    ...args,
    modSeq,
    changed: [],
    laidOver: [],
    surprising: [],
    unmodified: [],
    unseen: 0,
    deleted: 0,
  }
  for (const [index, range] of uids.entries()) {
    const rows = found[index]
    if (rows) await changeEach(tx, change, range, rows, changer)
    else if (mask) await changeMany(tx, change, range, mask, known.mod_seq)
  }
  const { changed, surprising } = change
  const unmodified = uidsInRow(change.unmodified)
  if (changed.length === 0) return { modSeq: known.mod_seq, changed, surprising, unmodified }
  await recordChanges(tx, {
    account,
    mailbox,
    modSeq,
    uids: mask ? change.laidOver : changed,
    mask,
    unseen: change.unseen,
    deleted: change.deleted,
    changes: known.changes,
  })
  tx.changed(account, modSeq)
  return { modSeq, follows: known.mod_seq, changed, surprising, unmodified }
}

type MessageRow = readonly [uid: Uid, flags: number, modSeq: ModSeq]

function readEach(
  tx: Tx,
  { account, mailbox }: StoreFlags,
  [first, last]: UidRange,
): Awaitable<readonly MessageRow[]> {
  return tx.arrays<MessageRow>(
    'SELECT uid, flags, mod_seq FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid',
    account,
    mailbox,
    first,
    last,
  )
}

/** What has been done so far. */
interface Change extends Pick<StoreFlags, 'account' | 'mailbox' | 'unchangedSince' | 'knownTo'> {
  readonly modSeq: ModSeq
  readonly changed: [first: number, last: number][]
  /** Parts of the ranges asked for: each from its first to its last message that changed. */
  readonly laidOver: [first: number, last: number][]
  readonly surprising: { uid: Uid; modSeq: ModSeq }[]
  readonly unmodified: Uid[]
  unseen: number
  deleted: number
}

/** Looks at each message of a range. */
async function changeEach(
  tx: Tx,
  change: Change,
  [first, last]: UidRange,
  rows: readonly MessageRow[],
  flagsAfter: FlagChanger,
): Promise<void> {
  const { account, mailbox, modSeq, unchangedSince, knownTo } = change
  /** From the flags before to those after, for what changes in this range. */
  const transitions = new Map<number, number>()
  const changed: Uid[] = []
  for (const [uid, before, messageModSeq] of rows) {
    if (unchangedSince !== undefined && messageModSeq > unchangedSince) {
      change.unmodified.push(uid)
      continue
    }
    const after = flagsAfter.get(before) ?? (await flagsAfter.change(before))
    if (after === before) continue
    transitions.set(before, after)
    changed.push(uid)
    if (knownTo !== undefined && messageModSeq > knownTo)
      change.surprising.push({ uid, modSeq: messageModSeq })
    change.unseen += (before & seen) - (after & seen)
    change.deleted += ((after & deleted) - (before & deleted)) / deleted
  }
  noteChanged(change, rangesOf(changed))
  // Flags after the change stay the same when changed again, so no statement meets the rows of another.
  for (const [before, after] of transitions) {
    tx.leave(
      tx.run(
        `UPDATE message SET flags = ?, mod_seq = ?
         WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND flags = ? AND mod_seq <= ?`,
        after,
        modSeq,
        account,
        mailbox,
        first,
        last,
        before,
        unchangedSince ?? modSeq,
      ),
    )
  }
}

/** The same for a range of many messages, without their rows. `newest` is the highest modSeq that one of them can have. */
async function changeMany(
  tx: Tx,
  change: Change,
  [first, last]: UidRange,
  mask: FlagMask,
  newest: ModSeq,
): Promise<void> {
  const { account, mailbox, modSeq, knownTo } = change
  const place = [account, mailbox, first, last] as const
  const keeps = keptBits(mask)
  const [before, unheard] = await together([
    isOfOneFlag(mask) ? undefined : sumUp(tx, place, mask),
    knownTo !== undefined && newest > knownTo
      ? tx.arrays<[uid: Uid, modSeq: ModSeq]>(
          `SELECT uid, mod_seq FROM message ${whereChanged} AND mod_seq > ? ORDER BY uid`,
          ...place,
          keeps,
          mask.adds,
          knownTo,
        )
      : [],
  ])
  const count = await tx.run(
    `UPDATE message SET flags = (flags & ?) | ?, mod_seq = ? ${whereChanged}`,
    keeps,
    mask.adds,
    modSeq,
    ...place,
    keeps,
    mask.adds,
  )
  if (count === 0) return
  if (count === last - first + 1) noteChanged(change, [[first, last]])
  else {
    const rows = await tx.arrays<[Uid]>(
      'SELECT uid FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND mod_seq = ? ORDER BY uid',
      ...place,
      modSeq,
    )
    noteChanged(change, rangesOf(rows.map(([uid]) => uid)))
  }
  for (const [uid, messageModSeq] of unheard) change.surprising.push({ uid, modSeq: messageModSeq })
  change.unseen -= gained(mask, seen, count, before?.seen)
  change.deleted += gained(mask, deleted, count, before?.deleted)
}

/** Of the messages of a range those that a mask changes. */
const whereChanged =
  'WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? AND ((flags & ?) | ?) <> flags'

function keptBits({ clears }: FlagMask): number {
  return ~clears >>> 0
}

/** How many of the messages that a mask changes have flags that are counted. */
interface Sums {
  readonly seen: number
  readonly deleted: number
}

function sumUp(
  tx: Tx,
  place: readonly [AccountId, MailboxId, first: number, last: number],
  mask: FlagMask,
): Awaitable<Sums | undefined> {
  return tx.get<Sums>(
    `SELECT sum((flags & ${seen}) / ${seen}) AS seen, sum((flags & ${deleted}) / ${deleted}) AS deleted FROM message ${whereChanged}`,
    ...place,
    keptBits(mask),
    mask.adds,
  )
}

/** Then every message that it changes had the flag before, or none had. */
function isOfOneFlag({ clears, adds }: FlagMask): boolean {
  const bits = clears | adds
  return (bits & (bits - 1)) === 0
}

/** How many more of `count` messages have a flag, now that a mask has changed them all. `before` had it; without, the mask is of one flag. */
function gained({ clears, adds }: FlagMask, flag: number, count: number, before?: number): number {
  if ((adds & flag) !== 0) return count - (before ?? 0)
  return (clears & flag) !== 0 ? -(before ?? count) : 0
}

function noteChanged(change: Change, ranges: UidRanges): void {
  const [first] = ranges
  const last = ranges[ranges.length - 1]
  if (!first || !last) return
  for (const [from, to] of ranges) change.changed.push([from, to])
  change.laidOver.push([first[0], last[1]])
}

/** The change as bits, where it is the same for every message. */
export function maskOf({ mode, flags, unchangedSince, keeps }: StoreFlags): FlagMask | undefined {
  // Which keywords a message has then depends on those that it had.
  if (unchangedSince !== undefined || keeps || flags.keywords.length > 0) return undefined
  const system = flags.system & systemMask
  switch (mode) {
    case 'add':
      return { clears: 0, adds: system }
    case 'remove':
      return { clears: system, adds: 0 }
    case 'replace':
      return { clears: 2 ** 32 - 1, adds: system }
  }
}

interface FlagChanger {
  get(before: number): number | undefined
  change(before: number): Promise<number>
}

function flagChanger(tx: Tx, { account, mode, flags, keeps }: StoreFlags): FlagChanger {
  const known = new Map<number, number>()
  /** From a keyword set's number to the number after the change. */
  const sets = new Map<number, number>()

  const changeSystem = (before: number): number => {
    const system = flags.system & systemMask
    if (mode === 'add') return before | system
    return mode === 'remove' ? before & ~system : system | (before & (keeps?.system ?? 0))
  }
  const changeSet = async (before: number): Promise<number> => {
    if (mode === 'replace') return keeps?.keywords ? before : internKeywords(tx, account, flags.keywords)
    if (flags.keywords.length === 0) return before
    const keywords = await keywordsOf(tx, account, before)
    if (mode === 'add') return internKeywords(tx, account, [...keywords, ...flags.keywords])
    const removed = new Set(flags.keywords.map(keyword => keyword.toLowerCase()))
    const rest = keywords.filter(keyword => !removed.has(keyword.toLowerCase()))
    return rest.length === keywords.length ? before : internKeywords(tx, account, rest)
  }
  return {
    get: before => known.get(before),
    async change(before) {
      const setBefore = before >>> keywordShift
      const set = sets.get(setBefore) ?? (await changeSet(setBefore))
      sets.set(setBefore, set)
      const after = changeSystem(before & systemMask) + set * 2 ** keywordShift
      known.set(before, after)
      return after
    },
  }
}

async function keywordsOf(tx: Tx, account: AccountId, set: number): Promise<readonly string[]> {
  if (set === 0) return []
  const row = await tx.get<{ keywords: string }>(
    'SELECT keywords FROM keyword_set WHERE account = ? AND id = ?',
    account,
    set,
  )
  return splitKeywords(row?.keywords ?? '')
}
