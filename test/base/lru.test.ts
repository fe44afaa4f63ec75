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

test('an LRU keeps what a list in the order of use keeps', () => {
  const most = 3
  const keys = ['a', 'b', 'c', 'd', 'e']
  for (let seed = 1; seed <= 200; seed++) {
    const lru = new Lru<string, number>(most)
    let kept: (readonly [key: string, value: number])[] = []
    let state = seed
    for (let step = 0; step < 60; step++) {
      state = (state * 48_271) % 2_147_483_647
      const key = keys[state % keys.length] as string
      const known = kept.find(([each]) => each === key)
      const others = kept.filter(([each]) => each !== key)
      switch ((state >> 8) % 4) {
        case 0:
          lru.delete(key)
          kept = others
          break
        case 1:
          lru.set(key, step)
          kept = [...others, [key, step] as const].slice(-most)
          break
        default:
          assert.equal(lru.get(key), known?.[1], `seed ${seed}, step ${step}`)
          if (known) kept = [...others, known]
      }
    }
  }
})
