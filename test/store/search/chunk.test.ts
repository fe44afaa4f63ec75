import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ChunkHead, decodeHead, encodeHead } from '../../../src/store/search/chunk.ts'

const upTo = (size: number) => Array.from({ length: size }, (_unused, slot) => slot)
const slots = fc.oneof(
  fc.constantFrom([], [0], [63], upTo(64), upTo(65), upTo(1024), [...upTo(64), 70], upTo(1023).slice(1)),
  fc.uniqueArray(fc.nat(1023), { maxLength: 100 }).map(some => some.sort((a, b) => a - b)),
)

test('the head of a chunk comes back as it was, whatever slots there are (property)', () => {
  fc.assert(
    fc.property(slots, slots, fc.array(fc.string()), (present, open, columns) => {
      const head: ChunkHead = {
        present,
        openBodies: open,
        openHeads: [],
        columns,
        skipped: ['received'],
        last: [7, 'ab'],
      }
      assert.deepEqual(decodeHead(encodeHead(head)), head)
    }),
  )
})
