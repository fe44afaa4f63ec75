import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldCase } from '../../../src/message/case-map.ts'
import { eachTerm, termPatterns } from '../../../src/message/terms.ts'
import { type PackedTerms, Postings, TermDictionary } from '../../../src/store/search/term-table.ts'
import { TermTableBuilder } from '../../../src/store/search/term-table-builder.ts'

/** Slots by word. */
type Model = Map<string, Set<number>>

/** Half a character of a pair that was cut has no UTF-8. */
const stored = (term: string) => Buffer.from(term).toString()

function addText(model: Model, text: string, slot: number): void {
  eachTerm(foldCase(text), term => {
    const word = stored(term)
    model.set(word, (model.get(word) ?? new Set()).add(slot))
  })
}

function listed(model: Model): [word: string, slots: number[]][] {
  const words = [...model].map(([word, slots]): [string, number[]] => [
    word,
    [...slots].sort((a, b) => a - b),
  ])
  return words.sort(([a], [b]) => (a < b ? -1 : 1))
}

function read({ dictionary, postings }: PackedTerms): Model {
  const words = new TermDictionary(dictionary)
  const places = new Postings(postings, words.count)
  const model: Model = new Map()
  for (let number = 0; number < words.count; number++) {
    const slots: number[] = []
    places.each(number, slot => slots.push(slot))
    assert.deepEqual(
      slots,
      [...new Set(slots)].sort((a, b) => a - b),
    )
    assert.ok(!model.has(words.termAt(number)))
    model.set(words.termAt(number), new Set(slots))
  }
  return model
}

const units = [
  ...Array.from('aAzZ09_@[`{/: .\n\0\x7f'),
  'ß',
  'é',
  'ﬁ',
  '日',
  '本',
  'ไ',
  '😀',
  '\ud83d',
  'x'.repeat(19),
  'Y'.repeat(37),
]
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...units), maxLength: 30 }),
  fc.string({ unit: 'binary-ascii', maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 50 }),
)
/** Texts by slot, in no order: the values of fields come after all else. */
const texts = fc.array(fc.tuple(text, fc.nat(63)), { maxLength: 30 })

test('the words of each text are found at its slot, and no others', () => {
  fc.assert(
    fc.property(texts, added => {
      const builder = new TermTableBuilder()
      const model: Model = new Map()
      for (const [one, slot] of added) {
        builder.addText(one, slot)
        addText(model, one, slot)
      }
      assert.deepEqual(listed(read(builder.pack())), listed(model))
    }),
    { numRuns: 1000 },
  )
})

test('merged tables say what the parts say, each at its place, without the slots that are gone', () => {
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 5 }), fc.array(fc.nat(63), { maxLength: 8 }), (parts, gone) => {
      const merged = new TermTableBuilder()
      const model: Model = new Map()
      for (const [at, added] of parts.entries()) {
        const builder = new TermTableBuilder()
        for (const [one, slot] of added) {
          builder.addText(one, slot)
          if (!gone.includes(slot)) addText(model, one, slot + 64 * at)
        }
        merged.addAll(builder.pack(), 64 * at, slot => gone.includes(slot))
      }
      assert.deepEqual(listed(read(merged.pack())), listed(model))
    }),
    { numRuns: 500 },
  )
})

test('many words are as well kept as few, and one text adds no more than it may', () => {
  const builder = new TermTableBuilder()
  const model: Model = new Map()
  for (let slot = 0; slot < 64; slot++) {
    const one = Array.from({ length: 500 }, (_unused, at) => `w${(slot * 311 + at * at) % 20_000}`).join(' ')
    builder.addText(one, slot)
    addText(model, one, slot)
  }
  assert.deepEqual(listed(read(builder.pack())), listed(model))
  const random = (letters: string) => (length: number) =>
    Array.from({ length }, () => letters.charAt(Math.floor(Math.random() * letters.length))).join('')
  for (const many of [random('abc '), random('abc'), random('äöü '), random('äöü'), random('日本語文字列')]) {
    const most = builder.length + 100
    builder.addText(many(5000), 64, most)
    assert.ok(builder.length >= most && builder.length < most + 50, String(builder.length - most))
  }
})

/** One number more often than others. */
const anyOr = (usual: number) => fc.oneof(fc.constant(usual), fc.nat(200))

test('a text is found by any part of it, wherever long words are cut', () => {
  const longWords = fc.string({
    unit: fc.constantFrom('a', 'b'.repeat(19), 'c'.repeat(37), '😀', 'é', '.', ' '),
    maxLength: 8,
  })
  fc.assert(
    fc.property(longWords, anyOr(0), anyOr(200), (whole, from, length) => {
      const builder = new TermTableBuilder()
      builder.addText(whole, 0)
      const words = new TermDictionary(builder.pack().dictionary)
      const folded = foldCase(whole)
      const start = from % (folded.length + 1)
      const part = folded.slice(start, start + length)
      if (!part.isWellFormed()) return
      for (const pattern of termPatterns(part))
        assert.notDeepEqual(words.find(pattern), [], JSON.stringify({ whole, part, pattern }))
    }),
    { numRuns: 3000 },
  )
})
