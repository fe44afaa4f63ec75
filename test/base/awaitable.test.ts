import assert from 'node:assert/strict'
import { test } from 'node:test'
import { together } from '../../src/base/awaitable.ts'

test('values that are there are given at once, and one promise among them makes a promise of all', async () => {
  assert.deepEqual(together([1, 'two']), [1, 'two'])
  const later = together([1, Promise.resolve('two')])
  assert.ok(later instanceof Promise)
  assert.deepEqual(await later, [1, 'two'])
  await assert.rejects(async () => together([Promise.resolve(1), Promise.reject(new Error('no'))]), /no/)
})
