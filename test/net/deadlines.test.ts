import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Deadline, Deadlines } from '../../src/net/deadlines.ts'

test('a deadline is due once, never early, and at most a grain late, however it is moved', () => {
  const moves = fc.array(fc.tuple(fc.nat(4), fc.oneof(fc.nat(500), fc.constant(Infinity)), fc.nat(40)))
  fc.assert(
    fc.property(moves, all => {
      let now = 0
      const deadlines = new Deadlines({ now: () => now, grainMs: 10 })
      const due: number[] = []
      const expected = new Map<number, number>()
      const each = Array.from({ length: 5 }, (_, i) => new Deadline(() => due.push(i)))
      for (const [which, inMs, passMs] of all) {
        const deadline = each[which] as Deadline
        deadlines.set(deadline, now + inMs)
        expected.set(which, now + inMs)
        now += passMs
        deadlines.check()
        for (const i of due.splice(0)) {
          const at = expected.get(i)
          assert.ok(at !== undefined && at <= now, 'not early, and only once')
          expected.delete(i)
        }
        for (const at of expected.values()) assert.ok(at + 10 > now, 'not late')
      }
      for (const deadline of each) deadlines.remove(deadline)
    }),
  )
})

test('a removed deadline is not due, and the timer stops with the last', () => {
  let now = 0
  const deadlines = new Deadlines({ now: () => now, grainMs: 10 })
  const deadline = new Deadline(() => assert.fail('due'))
  deadlines.set(deadline, 100)
  deadlines.remove(deadline)
  now = 1000
  deadlines.check()
  assert.equal(deadline.grain, -1)
})
