import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteBudget } from '../../src/base/byte-budget.ts'

test('no more than the budget is in use, but by one alone, and all have their turn in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 30 }), async sizes => {
      const budget = new ByteBudget(100)
      const running: number[] = []
      const order: number[] = []
      await Promise.all(
        sizes.map((bytes, index) =>
          budget.run(bytes, async () => {
            running.push(bytes)
            order.push(index)
            const used = running.reduce((sum, each) => sum + each, 0)
            const large = running.filter(each => each > 0)
            assert.ok(used <= 100 || large.length === 1, `${used} bytes`)
            for (let turn = 0; turn < bytes % 3; turn++) await Promise.resolve()
            running.splice(running.indexOf(bytes), 1)
          }),
        ),
      )
      assert.deepEqual(
        order,
        sizes.map((_, index) => index),
      )
    }),
  )
})

test('work that throws gives its room back', async () => {
  const budget = new ByteBudget(100)
  await assert.rejects(
    budget.run(100, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await budget.run(100, () => Promise.resolve(1)), 1)
})
