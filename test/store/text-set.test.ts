import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldCase } from '../../src/message/case-map.ts'
import { type Texts, TextSet } from '../../src/store/text-set.ts'

const order = {
  name: 'letters',
  fold: (text: string) => text.replaceAll('b', 'B').replaceAll('\u3042', 'ii'),
}
const unit = fc.constantFrom(
  'a',
  'b',
  '\0',
  '~',
  '\n',
  '\x7f',
  '\x80',
  '\x81',
  '\u3042',
  '\ud7ff',
  '\uffee',
  '\u{1f600}',
)
const nothing = () => undefined

/** What `addAll` takes. */
function joined(texts: readonly string[]): Texts {
  const pieces = texts.map(text => Buffer.from(`${text}\n`))
  const starts = new Uint32Array(texts.length + 1)
  for (const [at, piece] of pieces.entries()) starts[at + 1] = (starts[at] as number) + piece.length
  return { bytes: Buffer.concat(pieces), starts }
}

function textAt({ bytes, starts }: Texts, number: number): string {
  return Buffer.from(bytes.subarray(starts[number], (starts[number + 1] as number) - 1)).toString()
}

test('texts are ranked in the order of their folded octets, whatever their characters and lengths (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit, maxLength: 10 })),
      fc.array(fc.array(fc.string({ unit, minLength: 1, maxLength: 10 }), { maxLength: 300 }), {
        maxLength: 4,
      }),
      fc.boolean(),
      async (single, groups, findsEqual) => {
        const set = new TextSet(findsEqual)
        const numbers = single.map(text => set.add(text))
        for (const group of groups) {
          const first = set.addAll(joined(group))
          numbers.push(...group.map((_unused, at) => first + at))
        }
        numbers.push(...single.map(text => set.add(text)))
        const texts = [...single, ...groups.flat(), ...single]
        for (const [at, text] of texts.entries()) assert.equal(textAt(set.texts, numbers[at] as number), text)
        const ranks = await set.ranks(order, nothing)
        const folded = (text: string) => Buffer.from(order.fold(text))
        const distinct = [...new Set(['', ...texts])].sort((a, b) => Buffer.compare(folded(a), folded(b)))
        for (const [at, text] of texts.entries())
          assert.equal(ranks[numbers[at] as number], distinct.indexOf(text), JSON.stringify(text))
      },
    ),
    { numRuns: 500 },
  )
})

test('ranks are found anew when a text was added, and for another order', async () => {
  const set = new TextSet()
  for (const text of ['b', 'A', 'a']) set.add(text)
  const octets = { name: 'octets', fold: (text: string) => text }
  const capitals = { name: 'capitals', fold: (text: string) => text.toUpperCase() }
  assert.deepEqual([...(await set.ranks(octets, nothing))], [0, 3, 1, 2])
  assert.deepEqual([...(await set.ranks(capitals, nothing))], [0, 2, 1, 1])
  // Four letters and one, whose octets are three and two.
  for (const text of ['Aa', '\u33c2', '\u00aa', 'z']) set.add(text)
  const folding = { name: 'i;unicode-casemap', fold: foldCase }
  assert.deepEqual([...(await set.ranks(folding, nothing))], [0, 4, 1, 1, 3, 2, 1, 5])
})

test('texts that are no ASCII are ranked wherever they stand among many', async () => {
  for (let count = 254; count < 260; count++) {
    const set = new TextSet()
    for (let number = 1; number < count; number++) set.add(String(number).padStart(4, '0'))
    set.add('\u3042')
    set.add('é')
    const folded = { name: 'octets', fold: (text: string) => text.replace('\u3042', 'i') }
    const expected = Array.from({ length: count + 2 }, (_unused, number) => number)
    assert.deepEqual([...(await set.ranks(folded, nothing))], expected)
  }
})

test('texts by the thousand are ranked as sort does it, with whatever runs in order (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 3000 }),
      fc.constantFrom(1, 50, 1000, 3000),
      async (count, distinct, run) => {
        const textOf = (at: number) =>
          `${((at - (at % run)) * 7919 + (at % run)) % distinct}`.padStart(9, 'text ')
        const texts = Array.from({ length: count }, (_unused, at) => textOf(at))
        const set = new TextSet(false)
        set.addAll(joined(texts))
        const ranks = await set.ranks(order, nothing)
        const inOrder = ['', ...new Set(texts)].sort()
        const rankOf = new Map(inOrder.map((text, rank) => [text, rank]))
        assert.deepEqual(
          [...ranks],
          ['', ...texts].map(text => rankOf.get(text)),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('equal texts have one number, or one each where that is not asked for', () => {
  const [one, each] = [new TextSet(), new TextSet(false)]
  assert.deepEqual(
    ['a', '', 'b', 'a'].map(text => one.add(text)),
    [1, 0, 2, 1],
  )
  assert.deepEqual(
    ['a', '', 'b', 'a'].map(text => each.add(text)),
    [1, 0, 2, 3],
  )
})

test('texts of many megabytes that come in groups are all there, each with its number', () => {
  const set = new TextSet(false)
  const groups = Array.from({ length: 5 }, (_unused, group) =>
    Array.from({ length: 30_000 }, (_text, at) => `${group}/${at} ${'x'.repeat(50)}`),
  )
  const firsts = groups.map(group => set.addAll(joined(group)))
  const last = set.add('the last')
  const { texts } = set
  for (const [group, first] of firsts.entries())
    for (const at of [0, 1, 29_999]) assert.equal(textAt(texts, first + at), groups[group]?.[at])
  assert.equal(textAt(texts, last), 'the last')
  assert.equal(texts.starts.length, 2 + 150_000 + 1)
})
