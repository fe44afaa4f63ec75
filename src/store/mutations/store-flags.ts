// Changes flags. RFC 9051 §6.4.6; RFC 7162 §3.1.3 (UNCHANGEDSINCE).
import { type Awaitable, together } from '../../base/awaitable.ts'
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { deleted, type FlagSet, keywordShift, seen, systemMask } from '../flags.ts'
import type { Tx } from '../store.ts'
import type { UidRanges } from '../uid-ranges.ts'
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
  /** Ascending. */
  readonly changed: readonly Uid[]
  /** Those of them that others, or the caller, had changed after `knownTo`, with the modSeq of that: their flags now are not what the caller would think. */
  readonly surprising: readonly { readonly uid: Uid; readonly modSeq: ModSeq }[]
  /** Refused because they changed after `unchangedSince`. */
  readonly unmodified: readonly Uid[]
}

/** Messages whose flags are so already keep their modSeq. Throws `no-such-mailbox` and `too-many`. */
export async function storeFlags(tx: Tx, args: StoreFlags): Promise<StoredFlags> {
  return changeFlags(tx, args, takeModSeq(tx, args.account))
}

/** The same with the account locked, at `taken`. */
export async function changeFlags(tx: Tx, args: StoreFlags, taken: Awaitable<ModSeq>): Promise<StoredFlags> {
  const { account, mailbox, uids, unchangedSince, knownTo } = args
  const [modSeq, known, ...rowsOf] = await together([
    taken,
    tx.get<{ mod_seq: ModSeq; changes: number }>(
      'SELECT mod_seq, changes FROM mailbox WHERE account = ? AND id = ?',
      account,
      mailbox,
    ),
    ...uids.map(([first, last]) =>
      tx.arrays<[uid: Uid, flags: number, modSeq: ModSeq]>(
        'SELECT uid, flags, mod_seq FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid',
        account,
        mailbox,
        first,
        last,
      ),
    ),
  ])
  if (!known) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  const flagsAfter = flagChanger(tx, args)
  const changed: Uid[] = []
  const surprising: { uid: Uid; modSeq: ModSeq }[] = []
  const unmodified: Uid[] = []
  let unseenChange = 0
  let deletedChange = 0
  for (const [index, [first, last]] of uids.entries()) {
    /** From the flags before to those after, for what changes in this range. */
    const transitions = new Map<number, number>()
    for (const [uid, before, messageModSeq] of rowsOf[index] ?? []) {
      if (unchangedSince !== undefined && messageModSeq > unchangedSince) {
        unmodified.push(uid)
        continue
      }
      const after = flagsAfter.get(before) ?? (await flagsAfter.change(before))
      if (after === before) continue
      transitions.set(before, after)
      changed.push(uid)
      if (knownTo !== undefined && messageModSeq > knownTo) surprising.push({ uid, modSeq: messageModSeq })
      unseenChange += (before & seen) - (after & seen)
      deletedChange += ((after & deleted) - (before & deleted)) / deleted
    }
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
  if (changed.length === 0) return { modSeq: known.mod_seq, changed, surprising, unmodified }
  await recordChanges(tx, {
    account,
    mailbox,
    modSeq,
    uids: changed,
    unseen: unseenChange,
    deleted: deletedChange,
    changes: known.changes,
  })
  tx.changed(account, modSeq)
  return { modSeq, changed, surprising, unmodified }
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
