import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteTable, longestBytes } from '../../../src/store/search/byte-table.ts'

// Few bytes, so that strings are often equal, or differ only where they begin; the first may stand for nothing.
const strings = fc.array(
  fc.string({ unit: fc.constantFrom('\0', 'a', 'aaaaaaaa', 'b', '\x7f'), maxLength: 6 }),
  {
    maxLength: 60,
  },
)

test('a string has one number, in the order in which they came', () => {
  fc.assert(
    fc.property(strings, all => {
      const table = new ByteTable()
      const distinct = [...new Set(all)]
      for (const text of all) {
        const bytes = Buffer.from(`x${text}y`)
        assert.equal(table.numberOf(bytes, 1, bytes.length - 1), distinct.indexOf(text), JSON.stringify(text))
      }
      assert.equal(table.count, distinct.length)
      assert.equal(Buffer.from(table.bytes).toString(), distinct.join(''))
      for (const [number, text] of distinct.entries()) assert.equal(table.lengthOf(number), text.length)
    }),
    { numRuns: 1000 },
  )
})

test('thousands of strings keep their numbers while the table grows, whatever number was expected', () => {
  const bytes = (number: number) => Buffer.from(`${number}${'-'.repeat(number % 20)}`)
  for (const expected of [undefined, 600, 20_000]) {
    const table = new ByteTable(expected)
    for (let round = 0; round < 2; round++)
      for (let number = 0; number < 20_000; number++)
        assert.equal(table.numberOf(bytes(number), 0, bytes(number).length), number)
  }
})

test('strings of any length are told apart wherever they differ, and many that differ late are soon found', () => {
  const table = new ByteTable()
  const bytes = Buffer.alloc(2 * longestBytes + 100, 'x')
  // Were what is behind the first part left out of the hash, each would be compared with all before it.
  const count = 3000
  const at = (number: number) => {
    const copy = bytes.subarray(0, bytes.length - (number % 2))
    copy.writeUInt32BE(number, longestBytes + 7 + (number % 5))
    const found = table.numberOf(copy, 0, copy.length)
    copy.fill('x', longestBytes, longestBytes + 20)
    return found
  }
  for (let round = 0; round < 2; round++)
    for (let number = 0; number < count; number++) assert.equal(at(number), number)
})
