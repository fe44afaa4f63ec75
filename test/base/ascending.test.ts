import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ascending } from '../../src/base/ascending.ts'

test('each number below a count, whatever was asked for before', () => {
  const ascending = new Ascending()
  for (const count of [3, 2, 0, 5, 1])
    assert.deepEqual([...ascending.below(count)], [...new Array(count).keys()])
})

test('who asks for no more than is there gets the same memory', () => {
  const ascending = new Ascending()
  const all = ascending.below(100)
  assert.equal(ascending.below(10).buffer, all.buffer)
})
