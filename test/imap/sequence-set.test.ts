import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stepsPerBreath } from '../../src/base/breathe.ts'
import { formatMany, formatNumbers, normalizeRanges, star } from '../../src/imap/sequence-set.ts'
import { rangesOf } from '../../src/store/uid-ranges.ts'

test('ranges are ordered, joined, and * is the last number', () => {
  assert.deepEqual(
    normalizeRanges(
      [
        [5, 3],
        [1, 1],
        [2, 2],
      ],
      9,
    ),
    [[1, 5]],
  )
  assert.deepEqual(normalizeRanges([[7, star]], 9), [[7, 9]])
  assert.deepEqual(normalizeRanges([[12, star]], 9), [[9, 12]])
  assert.deepEqual(normalizeRanges([[star, star]], 9), [[9, 9]])
  assert.deepEqual(normalizeRanges([[star, star]], 0), [])
})

test('a set takes in exactly the numbers that its parts take in', () => {
  const number = fc.integer({ min: 1, max: 30 })
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number), { maxLength: 8 }), ranges => {
      const wanted = new Set<number>()
      for (const [a, b] of ranges) for (let n = Math.min(a, b); n <= Math.max(a, b); n++) wanted.add(n)
      const got: number[] = []
      for (const [first, last] of normalizeRanges(ranges, 30)) for (let n = first; n <= last; n++) got.push(n)
      assert.deepEqual(
        got,
        [...wanted].sort((a, b) => a - b),
      )
    }),
  )
})

test('numbers written and read again are the same', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 1000 })), raw => {
      const numbers = raw.sort((a, b) => a - b)
      const written = formatNumbers(numbers)
      const read: number[] = []
      if (written !== '') {
        for (const part of written.split(',')) {
          const [first, last = first] = part.split(':').map(Number)
          for (let n = first as number; n <= (last as number); n++) read.push(n)
        }
      }
      assert.deepEqual(read, numbers)
      assert.deepEqual(
        rangesOf(numbers).flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i)),
        numbers,
      )
    }),
  )
})

test('a long set is written in stretches, and none of its ranges is cut', async () => {
  const run = fc.tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: stepsPerBreath * 2 }))
  await fc.assert(
    fc.asyncProperty(fc.array(run, { maxLength: 8 }), async runs => {
      const numbers: number[] = []
      for (const [gap, count] of runs) {
        const first = (numbers.at(-1) ?? 0) + gap
        for (let number = first; number < first + count; number++) numbers.push(number)
      }
      assert.equal(await formatMany(numbers, () => {}), formatNumbers(numbers))
    }),
  )
  const odd = Array.from({ length: stepsPerBreath * 3 }, (_, at) => at * 2 + 1)
  let breaths = 0
  assert.equal(await formatMany(odd, () => void breaths++), odd.join(','))
  assert.equal(breaths, 3)
})
