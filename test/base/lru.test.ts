import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lru } from '../../src/base/lru.ts'

test('an LRU forgets what was used longest ago', () => {
  const lru = new Lru<string, number>(2)
  lru.set('a', 1)
  lru.set('b', 2)
  lru.get('a')
  lru.set('c', 3)
  assert.deepEqual([lru.get('a'), lru.get('b'), lru.get('c')], [1, undefined, 3])
})

test('an LRU never weighs more than its bound', () => {
  const lru = new Lru<string, string>(10)
  lru.set('a', 'x', 6)
  lru.set('b', 'x', 6)
  assert.equal(lru.get('a'), undefined)
  lru.set('c', 'x', 11)
  assert.equal(lru.get('c'), undefined)
  assert.equal(lru.weight, 6)
})
