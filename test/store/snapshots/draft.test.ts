import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AccountId, MailboxId, ModSeq, Uid, UidValidity } from '../../../src/base/ids.ts'
import {
  applyChanges,
  type ChangedRow,
  type GoneRow,
  goneUpTo,
  lastUidOf,
  type SnapshotEntry,
  snapshotOfRows,
} from '../../../src/store/snapshots/build-snapshot.ts'
import { messagesPerChunk, type SnapshotRow } from '../../../src/store/snapshots/message-chunk.ts'
import { continueDraft } from '../../../src/store/snapshots/draft.ts'
import type {
  LiveSnapshot,
  MailboxState,
  SnapshotContext,
} from '../../../src/store/snapshots/live-snapshot.ts'
import { valuesOf } from '../snapshot-values.ts'

const context: SnapshotContext = { keywords: () => [], tombstones: () => assert.fail('it remembers them') }
const key = { account: 1 as AccountId, mailbox: 1 as MailboxId }

/** A mailbox as its rows are, which remembers what has gone. */
class Mailbox {
  readonly rows = new Map<number, SnapshotRow>()
  readonly gone: GoneRow[] = []
  uidNext = 1
  modSeq = 1

  get state(): MailboxState {
    return {
      uidValidity: 1 as UidValidity,
      uidNext: this.uidNext,
      modSeq: this.modSeq as ModSeq,
      tombstoneFloor: 0 as ModSeq,
      changeFloor: 0 as ModSeq,
      total: this.rows.size,
    }
  }

  add(count: number): void {
    this.modSeq++
    for (let left = count; left > 0; left--) {
      const uid = this.uidNext++
      this.rows.set(uid, [uid, 0, this.modSeq, uid * 10, uid, uid, uid])
    }
  }

  remove(isGone: (uid: number) => boolean): void {
    this.modSeq++
    for (const uid of [...this.rows.keys()].filter(isGone)) {
      this.rows.delete(uid)
      this.gone.push([uid, this.modSeq])
    }
  }

  flag(isChanged: (uid: number) => boolean): void {
    this.modSeq++
    for (const [uid, row] of this.rows)
      if (isChanged(uid)) this.rows.set(uid, [uid, 4, this.modSeq, ...row.slice(3)] as unknown as SnapshotRow)
  }

  /** By UID. */
  above(uid: number): SnapshotRow[] {
    return [...this.rows.values()].filter(row => row[0] > uid)
  }

  goneAfter(modSeq: number): GoneRow[] {
    return this.gone.filter(row => row[1] > modSeq)
  }

  changedAfter(modSeq: number, lastUid: number): ChangedRow[] {
    return [...this.rows.values()]
      .filter(row => row[2] > modSeq && row[0] <= lastUid)
      .map(([uid, flags, at]) => [uid, flags, at] as const)
      .sort((a, b) => a[2] - b[2] || a[0] - b[0])
  }
}

function slicesOf<Row>(rows: readonly Row[], size: number): (readonly Row[])[] {
  const slices: (readonly Row[])[] = []
  for (let from = 0; from < rows.length; from += size) slices.push(rows.slice(from, from + size))
  return slices
}

function messagesOf(snapshot: LiveSnapshot): unknown {
  const { uids, flags, modSeqs, sizes, receivedAts, savedAts, emails, count } = snapshot
  return [uids, flags, modSeqs, sizes, receivedAts, savedAts, emails].map(column => valuesOf(column, count))
}

/** What happens to a mailbox. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 90 }) }),
  fc.record({ kind: fc.constant('remove' as const), every: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('flag' as const), every: fc.integer({ min: 1, max: 9 }) }),
)

function happen(
  mailbox: Mailbox,
  steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
): void {
  for (const one of steps) {
    if (one.kind === 'add') mailbox.add(one.count)
    else if (one.kind === 'remove') mailbox.remove(uid => uid % one.every === 0)
    else mailbox.flag(uid => uid % one.every === 0)
  }
}

test('a state that is drafted slice by slice, while more happens, is what it would be in one piece', async () => {
  const steps = fc.array(step, { maxLength: 5 })
  const size = fc.integer({ min: 1, max: 40 })
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.array(steps, { minLength: 1, maxLength: 3 }),
      steps,
      size,
      fc.constantFrom(200, messagesPerChunk + 50),
      fc.boolean(),
      async (first, drafted, last, sliceSize, size, isDropped) => {
        const mailbox = new Mailbox()
        mailbox.add(size)
        happen(mailbox, first)
        const entry: SnapshotEntry = snapshotOfRows(context, key, mailbox.state, mailbox.above(0), 0)
        const before = entry.snapshot
        const uids = valuesOf(before.uids, before.count)
        const { modSeq } = before
        for (const steps of drafted) {
          happen(mailbox, steps)
          const { state } = mailbox
          const gone = slicesOf(mailbox.goneAfter(goneUpTo(entry)), sliceSize)
          const added = slicesOf(mailbox.above(lastUidOf(entry)), sliceSize)
          entry.draft = await continueDraft(entry, state, gone, added)
          assert.deepEqual([entry.draft.goneUpTo, entry.draft.uidNext], [state.modSeq, state.uidNext])
          assert.equal(entry.draft.count, state.total)
        }
        assert.deepEqual(valuesOf(before.uids, before.count), uids)
        happen(mailbox, last)
        if (isDropped) delete entry.draft
        const gone = mailbox.goneAfter(goneUpTo(entry))
        const lastUid = lastUidOf(entry)
        const changed = mailbox.changedAfter(modSeq, lastUid)
        const next = applyChanges(context, entry, mailbox.state, gone, changed, mailbox.above(lastUid))
        assert.ok(next)
        assert.deepEqual(
          messagesOf(next.snapshot),
          messagesOf(snapshotOfRows(context, key, mailbox.state, mailbox.above(0), 0).snapshot),
        )
        assert.deepEqual(valuesOf(before.uids, before.count), uids)
        const delta = await next.snapshot.changesAfter(modSeq)
        const vanished = mailbox
          .goneAfter(modSeq)
          .map(([uid, at]) => ({ uid: uid as Uid, modSeq: at as ModSeq }))
        assert.deepEqual(
          delta.vanished,
          vanished.sort((a, b) => a.uid - b.uid),
        )
        assert.deepEqual(
          delta.changed.map(position => next.snapshot.uids.at(position)),
          mailbox
            .above(0)
            .filter(row => row[2] > modSeq)
            .map(([uid]) => uid),
        )
      },
    ),
  )
})
