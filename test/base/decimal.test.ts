import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decimalBytes, putDecimal, viewOf } from '../../src/base/decimal.ts'

test('a number is written as its digits, and nothing beyond the room that it may use (property)', () => {
  const powers = Array.from({ length: 10 }, (_unused, digits) => 10 ** digits)
  const bounds = fc.constantFrom(...powers.flatMap(power => [power - 1, power, power + 1]), 2 ** 32 - 1)
  fc.assert(
    fc.property(fc.oneof(bounds, fc.nat(2 ** 32 - 1), fc.nat(20_000)), fc.nat(3), (value, at) => {
      // A part of a larger piece, as buffers are.
      const room = new Uint8Array(40).fill(0x2e).subarray(5, 5 + at + decimalBytes + 3)
      const end = putDecimal(viewOf(room), at, value)
      assert.equal(Buffer.from(room.subarray(at, end)).toString(), String(value))
      assert.deepEqual(
        [...room.subarray(0, at)],
        Array.from({ length: at }, () => 0x2e),
      )
      assert.deepEqual([...room.subarray(at + decimalBytes)], [0x2e, 0x2e, 0x2e])
    }),
    { numRuns: 2000 },
  )
})
