import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { breathingSort } from '../../src/base/breathing-sort.ts'

test('breathingSort sorts stably and breathes, whatever the length (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 1, max: 50 }),
      async (length, keys) => {
        const items = Uint32Array.from({ length }, (_unused, at) => at)
        const keyOf = (item: number) => (item * 7919) % keys
        let breaths = 0
        const expected = [...items].sort((a, b) => keyOf(a) - keyOf(b))
        await breathingSort(
          items,
          (a, b) => keyOf(a) - keyOf(b),
          () => void breaths++,
        )
        assert.deepEqual([...items], expected)
        assert.ok(breaths >= Math.floor(length / 1024))
      },
    ),
    { numRuns: 50 },
  )
})
