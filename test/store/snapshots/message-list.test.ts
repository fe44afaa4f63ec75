import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seen, systemMask } from '../../../src/store/flags.ts'
import { messagesPerChunk, type SnapshotRow } from '../../../src/store/snapshots/message-chunk.ts'
import { MessageList } from '../../../src/store/snapshots/message-list.ts'
import { valuesOf } from '../snapshot-values.ts'

function row(uid: number): SnapshotRow {
  return [uid, uid % 7, uid % 11, uid * 2, uid * 3, uid * 4, uid * 5]
}

/** All that a list has, column by column. */
function columnsOf(list: MessageList, count: number): number[][] {
  const { uids, flags, modSeqs, sizes, receivedAts, savedAts, emails } = list
  return [uids, flags, modSeqs, sizes, receivedAts, savedAts, emails].map(column => valuesOf(column, count))
}

function chunksOf(list: MessageList, count: number): number[] {
  return [...list.pieces(0, count)].map(({ from, to }) => to - from)
}

/** Messages to take away: where the first is, how many in a row, how far on the next ones are, and how often. */
const removal = fc.record({
  kind: fc.constant('remove' as const),
  first: fc.nat(5000),
  length: fc.integer({ min: 1, max: 1500 }),
  gap: fc.integer({ min: 1, max: 1300 }),
  times: fc.integer({ min: 1, max: 4 }),
})
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 2500 }) }),
  removal,
  fc.record({
    kind: fc.constant('flag' as const),
    first: fc.nat(5000),
    every: fc.integer({ min: 1, max: 900 }),
  }),
)

test('a list holds what came and has not gone, and those of before keep theirs (property)', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 9 }), steps => {
      let list = new MessageList()
      let rows: SnapshotRow[] = []
      let uid = 0
      const known: { readonly list: MessageList; readonly uids: readonly number[] }[] = []
      for (const one of steps) {
        known.push({ list, uids: rows.map(([uid]) => uid) })
        if (one.kind === 'add') {
          const added: SnapshotRow[] = []
          for (let left = one.count; left > 0; left--) added.push(row((uid += 1 + (left % 2))))
          list.append(rows.length, added)
          rows.push(...added)
        } else if (one.kind === 'remove') {
          const gone = new Set<number>()
          for (let time = 0; time < one.times; time++) {
            const first = one.first + time * (one.length + one.gap)
            for (let at = first; at < first + one.length; at++) if (at < rows.length) gone.add(at)
          }
          list = list.without(rows.length, [...gone])
          rows = rows.filter((_row, at) => !gone.has(at))
        } else {
          const flagged: [uid: number, flags: number, modSeq: number][] = []
          for (let at = one.first; at < rows.length; at += one.every) {
            const [uid, , , ...rest] = rows[at] as SnapshotRow
            flagged.push([uid, 300, 1_000_000])
            rows[at] = [uid, 300, 1_000_000, ...rest]
          }
          list.setFlags(list.positionsOf(flagged, rows.length), flagged)
        }
        const { length } = rows
        assert.deepEqual(
          columnsOf(list, length),
          [0, 1, 2, 3, 4, 5, 6].map(column => rows.map(row => row[column])),
        )
        for (const { list: before, uids } of known) assert.deepEqual(valuesOf(before.uids, uids.length), uids)
        assert.deepEqual([...list.uids.upTo(length)], valuesOf(list.uids, length))
        // One by one, forwards and backwards, and by UID.
        for (let at = 0; at < length; at += 97) assert.equal(list.sizes.at(at), rows[at]?.[3])
        for (let at = length - 1; at >= 0; at -= 89) {
          const wanted = rows[at]?.[0] ?? 0
          assert.equal(list.uids.at(at), wanted)
          assert.equal(list.find(wanted, length), at)
          assert.equal(list.lowerBound(wanted, length), at)
          assert.equal(list.lowerBound(wanted, at), at)
          assert.equal(list.lowerBound(wanted - 0.5, length), at)
          assert.equal(list.lowerBound(wanted + 0.5, length), at + 1)
        }
        assert.equal(list.find(uid + 1, length), -1)
        // One behind another, of which some are not there, and some were looked for before.
        const wanted = [
          ...rows.map(([uid]) => uid),
          uid + 1,
          0,
          ...rows.filter((_row, at) => at % 3 === 0).map(([uid]) => uid),
        ]
        const places = new Map(rows.map(([uid], at) => [uid, at]))
        assert.deepEqual(
          list.positionsOf(
            wanted.map(uid => [uid] as const),
            length,
          ),
          wanted.map(uid => places.get(uid) ?? -1),
        )
        for (const { chunk, from, to, position } of list.pieces(0, length)) {
          const own = rows.slice(position, position + to - from)
          const summary = chunk.summary(to)
          assert.equal(
            summary.firstUnseen,
            own.findIndex(([, flags]) => (flags & seen) === 0),
          )
          const system = own.map(([, flags]) => flags & systemMask)
          assert.equal(
            summary.some,
            system.reduce((some, flags) => some | flags, 0),
          )
          assert.equal(
            summary.every,
            system.reduce((every, flags) => every & flags, systemMask),
          )
          assert.equal(summary.modSeq, Math.max(...own.map(([, , modSeq]) => modSeq)))
          assert.deepEqual(summary.keywordSets, own.some(([, flags]) => flags === 300) ? [1] : [])
        }
      }
    }),
    { numRuns: 150 },
  )
})

test('an expunge makes new chunks only where something has gone', () => {
  const list = new MessageList()
  const count = 10 * messagesPerChunk
  for (let at = 0; at < count; at++) list.append(at, [row(at + 1)])
  const { length } = chunksOf(list, count)
  assert.equal(length, 10)
  const after = list.without(count, [5, 6, 3 * messagesPerChunk])
  const chunks = (of: MessageList, from: number) => [...of.pieces(0, from)].map(({ chunk }) => chunk)
  const before = chunks(list, count)
  const shared = chunks(after, count - 3).map(chunk => before.includes(chunk))
  assert.deepEqual(shared, [false, true, true, false, ...Array.from({ length: 6 }, () => true)])
  // What comes then goes behind in both.
  after.append(count - 3, [row(count + 1)])
  assert.equal(after.uids.at(count - 3), count + 1)
  assert.equal(list.uids.at(count - 1), count)
})

test('however few messages are left of many, there are few chunks', () => {
  let list = new MessageList()
  let count = 20 * messagesPerChunk
  for (let at = 0; at < count; at++) list.append(at, [row(at + 1)])
  // Chunk by chunk, all but ten.
  for (let chunk = 0; chunk < 20; chunk++) {
    const gone = Array.from({ length: messagesPerChunk - 10 }, (_unused, at) => chunk * 10 + at)
    list = list.without(count, gone)
    count -= gone.length
    const sizes = chunksOf(list, count)
    for (let at = 1; at < sizes.length; at++)
      assert.ok((sizes[at - 1] ?? 0) + (sizes[at] ?? 0) > messagesPerChunk / 2, `${sizes.join(' ')}`)
  }
  assert.deepEqual(chunksOf(list, count), [200])
  assert.equal(list.uids.at(199), 20 * messagesPerChunk)
})

test('there is nothing beyond the messages, nor in an empty list', () => {
  const list = new MessageList()
  for (const column of [list.uids, list.flags, list.emails]) assert.throws(() => column.at(0), RangeError)
  assert.deepEqual([list.lowerBound(1, 0), list.find(1, 0), [...list.pieces(0, 0)]], [0, -1, []])
  list.append(0, [row(4)])
  for (const at of [-1, messagesPerChunk, Number.NaN]) assert.throws(() => list.uids.at(at), RangeError)
  assert.deepEqual(list.without(1, [0]).lowerBound(1, 0), 0)
})

test('what was put behind a state that was given up is put anew', () => {
  const list = new MessageList()
  const rows = (count: number, first: number) =>
    Array.from({ length: count }, (_unused, at) => row(first + at))
  list.append(0, [row(1)])
  assert.equal(list.flags.at(0), 1)
  list.append(1, rows(2 * messagesPerChunk, 2))
  const summaries = () => [...list.pieces(0, 10)].map(({ chunk, to }) => chunk.summary(to))
  const before = summaries()
  assert.equal(list.sizes.at(messagesPerChunk + 1), 2 * (messagesPerChunk + 2))
  // Fewer come, with higher UIDs than those that were given up.
  list.append(1, rows(20, 9000))
  assert.deepEqual(valuesOf(list.uids, 21), [1, ...Array.from({ length: 20 }, (_unused, at) => 9000 + at)])
  assert.deepEqual([list.lowerBound(9005, 21), list.find(9019, 21), list.find(2, 21)], [6, 20, -1])
  assert.notDeepEqual(summaries(), before)
  list.append(21, rows(messagesPerChunk, 9020))
  assert.equal(list.sizes.at(messagesPerChunk + 1), 2 * (9000 + messagesPerChunk))
})

test('a state does not see what has come after it', () => {
  const list = new MessageList()
  list.append(
    0,
    Array.from({ length: messagesPerChunk + 5 }, (_unused, at) => row(at + 1)),
  )
  for (const count of [messagesPerChunk - 1, messagesPerChunk, messagesPerChunk + 1]) {
    for (const uid of [count + 1, messagesPerChunk + 3, messagesPerChunk + 9])
      assert.equal(list.lowerBound(uid, count), count)
    assert.equal(list.find(count + 1, count), -1)
  }
})
