import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inStretches, numbersBelow, stepsPerBreath, valuesAt } from '../../src/base/breathe.ts'

test('inStretches does each step once, in order, and breathes after each stretch', async () => {
  for (const count of [0, 1, stepsPerBreath, stepsPerBreath + 1, 3 * stepsPerBreath - 1]) {
    let breaths = 0
    const done: number[] = []
    await inStretches(
      count,
      () => void breaths++,
      (from, to) => {
        assert.ok(to - from <= stepsPerBreath)
        for (let step = from; step < to; step++) done.push(step)
      },
    )
    assert.deepEqual(
      done,
      Array.from({ length: count }, (_unused, step) => step),
    )
    assert.equal(breaths, Math.ceil(count / stepsPerBreath))
  }
})

test('inStretches waits while others run, and ends when nobody waits any more', async () => {
  let gate = Promise.withResolvers<void>()
  let stretches = 0
  const running = inStretches(
    2 * stepsPerBreath,
    () => gate.promise,
    () => void stretches++,
  )
  await Promise.resolve()
  assert.equal(stretches, 1)
  const first = gate
  gate = Promise.withResolvers()
  gate.promise.catch(() => {})
  first.resolve()
  gate.reject(new Error('gone'))
  await assert.rejects(running, /gone/)
  assert.equal(stretches, 2)
})

test('numbersBelow and valuesAt fill each place, also beyond one stretch', async () => {
  const count = 2 * stepsPerBreath + 1
  const numbers = await numbersBelow(count, () => undefined)
  assert.deepEqual(
    numbers,
    Uint32Array.from({ length: count }, (_unused, at) => at),
  )
  const values = Uint32Array.from(numbers, number => 3 * number)
  const found = await valuesAt(values, numbers.toReversed(), () => undefined)
  assert.deepEqual(found, values.toReversed())
})
