import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pickValues, takeValues } from '../../src/imap/column-values.ts'
import { MessageList } from '../../src/store/snapshots/message-list.ts'

test('values are those at the positions, whether these are neighbours or not (property)', async () => {
  const list = new MessageList()
  const rows = Array.from({ length: 3000 }, (_unused, at) => [at + 1, 0, 1, at * 7, 0, 0, 0] as const)
  list.append(0, rows)
  const gaps = fc.array(fc.constantFrom(1, 1, 1, 1, 2, 500), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(gaps, async gaps => {
      const positions: number[] = []
      for (const gap of gaps) positions.push((positions.at(-1) ?? -1) + gap)
      const there = Uint32Array.from(positions.filter(position => position < rows.length))
      const from = Math.floor(there.length / 3)
      const values = new Float64Array(there.length - from)
      if (values.length > 0) takeValues(list.sizes, there, from, there.length, values)
      assert.deepEqual(
        [...values],
        [...there.subarray(from)].map(position => position * 7),
      )
      const every = there.map((_position, at) => at).filter(at => at % 2 === 0)
      const picked = await pickValues(list.sizes, there, every, () => undefined)
      assert.deepEqual(
        [...picked],
        [...every].map(index => (there[index] as number) * 7),
      )
    }),
  )
})
