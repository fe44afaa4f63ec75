import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId, MailboxId, ModSeq, UidValidity } from '../../../src/base/ids.ts'
import { flagged, seen } from '../../../src/store/flags.ts'
import {
  applyMasks,
  changedByMasks,
  type MaskRow,
  snapshotOfHeader,
  snapshotOfRows,
} from '../../../src/store/snapshots/build-snapshot.ts'
import { findPackedHeader, packWhole } from '../../../src/store/snapshots/packing.ts'
import type { SnapshotContext } from '../../../src/store/snapshots/live-snapshot.ts'
import { valuesOf } from '../snapshot-values.ts'

const context: SnapshotContext = { keywords: () => [], tombstones: () => ({ floor: 0, rows: [] }) }

/** Messages 1 to 3 as they were at modSeq 5, but that the second one shows what it has become at `secondModSeq`. */
function entryWith(secondModSeq: number, secondFlags: number) {
  const state = {
    uidValidity: 1 as UidValidity,
    uidNext: 4,
    modSeq: 5 as ModSeq,
    tombstoneFloor: 0 as ModSeq,
    changeFloor: 0 as ModSeq,
    total: 3,
  }
  const key = { account: 1 as AccountId, mailbox: 1 as MailboxId }
  const rows = [1, 2, 3].map(
    uid => [uid, uid === 2 ? secondFlags : 0, uid === 2 ? secondModSeq : uid, 10, 0, 0, uid] as const,
  )
  return { entry: snapshotOfRows(context, key, state, rows, 0), next: { ...state, modSeq: 7 as ModSeq } }
}

const masks: readonly MaskRow[] = [
  [6, 1, 2, 0, flagged],
  [7, 2, 3, 0, seen],
]

test('masks that follow one another are made one after another, and each message has the modSeq of the last that changed it', () => {
  const { entry, next } = entryWith(5, seen)
  const snapshot = applyMasks(context, entry, next, masks)?.snapshot
  assert.ok(snapshot)
  assert.deepEqual(valuesOf(snapshot.flags, 3), [flagged, flagged | seen, seen])
  assert.deepEqual(valuesOf(snapshot.modSeqs, 3), [6, 6, 7])
  assert.deepEqual(snapshot.changedAfter(5 as ModSeq), [0, 1, 2])
  assert.deepEqual(snapshot.changedAfter(6 as ModSeq), [2])
})

test('where a message shows what it has become since, masks do not tell what changed', () => {
  const { entry, next } = entryWith(7, flagged | seen)
  assert.equal(changedByMasks(entry, masks, []), undefined)
  assert.equal(applyMasks(context, entry, next, masks), undefined)
  assert.deepEqual(valuesOf(entry.snapshot.flags, 3), [0, flagged | seen, 0])
})

test('a packed form that has other messages than its mailbox is not taken', () => {
  const { entry } = entryWith(5, seen)
  const { header, chunks } = packWhole(entry.snapshot)
  const found = findPackedHeader(header)
  assert.ok(found)
  const open = (total: number, modSeq: number) => {
    const { account, mailbox, uidValidity, uidNext, tombstoneFloor } = entry.snapshot
    const state = { uidValidity, uidNext, tombstoneFloor, changeFloor: tombstoneFloor, total }
    const find = (chunk: number) => chunks[chunk] as Uint8Array
    const now = { ...state, modSeq: modSeq as ModSeq }
    return snapshotOfHeader(context, { account, mailbox }, now, 5, found, find)?.snapshot
  }
  assert.deepEqual(valuesOf(open(3, 5)?.uids ?? assert.fail(), 3), [1, 2, 3])
  assert.equal(open(4, 5), undefined)
  // What has changed since may account for it.
  assert.equal(open(4, 6)?.count, 3)
})
