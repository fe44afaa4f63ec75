import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeaderColumn, HeaderColumnBuilder } from '../../../src/store/search/header-column.ts'

const values = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom('', '\0', '\0\0', 'a', '\n'), fc.string({ unit: 'grapheme', maxLength: 12 })),
    fc.nat(63),
  ),
  { maxLength: 30 },
)

function read(packed: Uint8Array): [text: string, slot: number][] {
  const found: [string, number][] = []
  new HeaderColumn(packed, text => text).each((text, slot) => found.push([text, slot]))
  return found
}

function pack(added: readonly (readonly [string, number])[]): Uint8Array {
  const builder = new HeaderColumnBuilder()
  for (const [text, slot] of added) builder.add(text, slot)
  return builder.pack()
}

test('a column gives back its values, each at its slot, and so does one that is merged of several', () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 4 }), fc.array(fc.nat(63), { maxLength: 8 }), (parts, gone) => {
      const merged = new HeaderColumnBuilder()
      const expected: [string, number][] = []
      for (const [at, added] of parts.entries()) {
        const packed = pack(added)
        assert.deepEqual(read(packed), added)
        merged.addAll(packed, 64 * at, slot => gone.includes(slot))
        for (const [text, slot] of added) if (!gone.includes(slot)) expected.push([text, slot + 64 * at])
      }
      assert.deepEqual(read(merged.pack()), expected)
    }),
    { numRuns: 500 },
  )
})
