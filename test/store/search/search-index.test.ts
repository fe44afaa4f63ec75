import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AccountId } from '../../../src/base/ids.ts'
import { limits } from '../../../src/base/limits.ts'
import { foldCase } from '../../../src/message/case-map.ts'
import type { ChunkAddress, PackedChunk } from '../../../src/store/search/chunk.ts'
import { ChunkBuilder } from '../../../src/store/search/chunk-builder.ts'
import {
  answers,
  ChunkedIndex,
  type Folding,
  type IndexQuery,
} from '../../../src/store/search/search-index.ts'
import { keptColumns, type KeptNumbers } from '../../../src/store/search/kept-numbers.ts'
import { type KeptTexts, keptTextColumns, textIn } from '../../../src/store/search/kept-texts.ts'
import { eachTerm, termPatterns } from '../../../src/message/terms.ts'

// Characters on both sides of every line that the index draws: separators, marks that move, letters that fold to several, scripts without spaces,
// halves of the same pair, words longer than the longest.
const units = [
  ...Array.from('aAbB01 .-@\n'),
  'ß',
  'é',
  'e\u0301',
  '\u0323',
  '\u0301',
  'ﬁ',
  '½',
  'Σ',
  '한',
  '日',
  '本',
  '語',
  'カ',
  '\uff9e',
  'ไ',
  '😀',
  '…',
  '\u00a0',
  'x'.repeat(23),
]
const text = (maxLength: number) => fc.string({ unit: fc.constantFrom(...units), maxLength })
const foldings: readonly Folding[] = [
  { name: 'i;unicode-casemap', fold: foldCase },
  { name: 'i;octet', fold: one => one },
  {
    name: 'i;ascii-casemap',
    fold: one => one.replace(/[a-z]+/g, letters => letters.toUpperCase()),
  },
]

type ExactQuery = Exclude<IndexQuery, { kind: 'fuzzy' }>

interface Email {
  readonly numbers: KeptNumbers
  readonly texts: KeptTexts
  readonly bodies: readonly string[]
  readonly headers: readonly string[]
  readonly fields: Readonly<Record<string, readonly string[]>>
}

const numbers: fc.Arbitrary<KeptNumbers> = fc.record({
  sent_at: fc.option(fc.integer({ min: -1e12, max: 1e13 })),
  sent_zone_minutes: fc.integer({ min: -5999, max: 5999 }),
  is_reply: fc.nat(1),
})

/** Some are longer than the index takes. */
const keptText = fc.oneof(
  { weight: 20, arbitrary: text(4) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(4096), 'x'.repeat(4097)) },
)
const keptTexts: fc.Arbitrary<KeptTexts> = fc.record({
  base_subject: keptText,
  message_id: keptText,
  reference_ids: keptText,
})

const emails: fc.Arbitrary<Email> = fc.record({
  numbers,
  texts: keptTexts,
  bodies: fc.array(text(30), { maxLength: 2 }),
  headers: fc.array(text(15), { maxLength: 2 }),
  fields: fc.dictionary(
    fc.constantFrom('subject', 'x-a', 'x-b', 'no\u00e9'),
    fc.array(text(8), { maxLength: 2 }),
    {
      noNullPrototype: true,
    },
  ),
})

/** A chunk of some messages; those that are undefined are not there. */
function build(address: ChunkAddress, made: readonly (Email | undefined)[]): ChunkBuilder {
  const builder = new ChunkBuilder(address)
  for (const [slot, email] of made.entries()) if (email) add(builder, slot, email)
  return builder
}

function add(builder: ChunkBuilder, slot: number, email: Email): void {
  builder.begin(slot, { id: slot, hash: '', ...email.numbers, ...email.texts })
  const fields = Object.entries(email.fields).filter(([, values]) => values.length > 0)
  builder.addHeader(slot, new Map(fields))
  const lines = fields.flatMap(([name, values]) => values.map(value => `${name}: ${value}`))
  for (const header of [lines.join('\n'), ...email.headers]) builder.addText(slot, header, true)
  for (const body of email.bodies) builder.addText(slot, body, false)
}

function indexOf(chunks: readonly (readonly [ChunkAddress, PackedChunk])[]): ChunkedIndex {
  return new ChunkedIndex({
    chunks: () => chunks.map(([address, { head }]) => ({ edition: { ...address, stamp: 0 }, head })),
    piece(_account, { level, number }, name) {
      const [, packed] = chunks.find(([one]) => one.level === level && one.number === number) ?? []
      return packed?.pieces.find(piece => piece.name === name)?.data
    },
  })
}

/** What a look at the message says. */
function matches(email: Email, query: ExactQuery, { fold }: Folding): boolean {
  const holds = (one: string) => fold(one).includes(query.needle)
  if (query.kind === 'header') return (email.fields[query.name] ?? []).some(holds)
  if (email.bodies.some(holds)) return true
  if (!query.inHeaders) return false
  const lines = Object.entries(email.fields).flatMap(([name, values]) =>
    values.map(value => `${name}: ${value}`),
  )
  return lines.some(holds) || email.headers.some(holds)
}

const queries = (folding: Folding): fc.Arbitrary<ExactQuery> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('text' as const),
      needle: text(5).map(folding.fold),
      inHeaders: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('header' as const),
      name: fc.constantFrom('subject', 'x-a', 'x-b', 'x-c', 'no\u00e9'),
      needle: text(4).map(folding.fold),
    }),
  )

test('the words of a text fulfil the patterns of every part of it', () => {
  fc.assert(
    fc.property(text(60), fc.nat(), fc.nat(), (whole, from, length) => {
      const folded = foldCase(whole)
      const start = folded.length === 0 ? 0 : from % folded.length
      const part = folded.slice(start, start + (length % 90))
      const terms = new Set<string>()
      eachTerm(folded, term => terms.add(term))
      for (const pattern of termPatterns(part)) {
        const fits = [...terms].some(term => {
          if (pattern.isStart && pattern.isEnd) return term === pattern.text
          if (pattern.isStart) return term.startsWith(pattern.text)
          return pattern.isEnd ? term.endsWith(pattern.text) : term.includes(pattern.text)
        })
        assert.ok(fits, JSON.stringify({ part, pattern, terms: [...terms] }))
      }
    }),
    { numRuns: 3000 },
  )
})

test('the index never says no to a message that holds the text, nor yes to one that does not', async t => {
  let decided = 0
  let asked = 0
  const property = fc.asyncProperty(
    fc.array(fc.option(emails, { nil: undefined }), { minLength: 1, maxLength: 20 }),
    fc.array(fc.nat(19), { maxLength: 4 }),
    fc
      .constantFrom(...foldings)
      .chain(folding =>
        fc.tuple(fc.constant(folding), fc.array(queries(folding), { minLength: 5, maxLength: 5 })),
      ),
    async (made, gone, [folding, asks]) => {
      const small: ChunkAddress = { level: 0, number: 16 }
      const large: ChunkAddress = { level: 1, number: 1 }
      const packed = build(small, made).pack()
      // The same once more in a larger chunk, without the messages that are gone.
      const merged = new ChunkBuilder(large)
      const read = (name: string) =>
        packed.pieces.find(piece => piece.name === name)?.data ?? new Uint8Array()
      merged.addChunk(packed.head, read, 64, slot => gone.includes(slot))
      const ids = Float64Array.from(made, (_email, slot) => 1024 + slot)
      for (const [index, shift, isGone] of [
        [indexOf([[small, packed]]), 0, () => false],
        [indexOf([[large, merged.pack()]]), 64, (slot: number) => gone.includes(slot)],
      ] as const) {
        for (const query of asks) {
          const found = await index.answer(
            1 as AccountId,
            query,
            folding,
            ids.map(id => id + shift),
            () => {},
          )
          for (const [slot, email] of made.entries()) {
            const answer = found[slot]
            const context = JSON.stringify({ query, email, answer, folding: folding.name })
            asked++
            if (!email || isGone(slot)) assert.equal(answer, answers.unknown, context)
            else if (matches(email, query, folding)) assert.notEqual(answer, answers.no, context)
            else assert.notEqual(answer, answers.yes, context)
            if (answer !== answers.unknown) decided++
          }
        }
      }
    },
  )
  await fc.assert(property, { numRuns: 300 })
  t.diagnostic(`${decided} of ${asked} decided`)
  assert.ok(decided > asked / 4)
})

test('the numbers and texts of emails are what was said of them, also in a larger chunk; of those that are gone nothing is left', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.option(emails, { nil: undefined }), { minLength: 1, maxLength: 64 }),
    fc.array(fc.nat(63), { maxLength: 8 }),
    async (made, gone) => {
      const packed = build({ level: 0, number: 17 }, made).pack()
      const large: ChunkAddress = { level: 1, number: 1 }
      const merged = new ChunkBuilder(large)
      const read = (name: string) =>
        packed.pieces.find(piece => piece.name === name)?.data ?? new Uint8Array()
      merged.addChunk(packed.head, read, 64, slot => gone.includes(slot))
      const find = await indexOf([[large, merged.pack()]]).columns(1 as AccountId, () => {})
      const names = [...keptColumns, ...keptTextColumns]
      assert.equal(await find(0, names), undefined)
      const block = await find(1, names)
      assert.ok(block)
      const { present, numbers: values, texts } = block
      assert.ok(values)
      const live = [...made.keys()].filter(slot => made[slot] && !gone.includes(slot))
      assert.deepEqual(
        present,
        live.map(slot => slot + 64),
      )
      for (let slot = 0; slot < 1024; slot++) {
        const email = live.includes(slot - 64) ? made[slot - 64] : undefined
        assert.deepEqual(
          [values.sent_at[slot], values.sent_zone_minutes[slot], values.is_reply[slot]],
          email
            ? [email.numbers.sent_at ?? Number.NaN, email.numbers.sent_zone_minutes, email.numbers.is_reply]
            : [0, 0, 0],
        )
        for (const name of keptTextColumns) {
          const told = email?.texts[name] ?? ''
          const column = texts.get(name)
          assert.ok(column)
          assert.equal(textIn(column, slot), told.length > 4096 ? undefined : told)
        }
      }
    },
  )
  await fc.assert(property, { numRuns: 100 })
})

test('pieces of a chunk that another has taken the place of are let go, and no others', async () => {
  const email: Email = {
    numbers: { sent_at: 0, sent_zone_minutes: 0, is_reply: 0 },
    texts: { base_subject: '', message_id: '', reference_ids: '' },
    bodies: [],
    headers: [],
    fields: { subject: ['a train'] },
  }
  const { head, pieces } = build({ level: 0, number: 0 }, [email]).pack()
  const stamps = new Map([
    [0, 1],
    [1, 1],
  ])
  const read: string[] = []
  const index = new ChunkedIndex({
    chunks: account =>
      account === 1
        ? Array.from(stamps, ([number, stamp]) => ({ edition: { level: 0, number, stamp }, head }))
        : [],
    piece(_account, { number, stamp }, name) {
      read.push(`${number}/${stamp} ${name}`)
      return pieces.find(piece => piece.name === name)?.data
    },
  })
  const ask = (needle: string, account = 1) =>
    index.answer(
      account as AccountId,
      { kind: 'header', name: 'subject', needle },
      foldings[0] as Folding,
      Float64Array.of(0, 64),
      () => undefined,
    )
  assert.deepEqual([...(await ask('TRAIN'))], [answers.yes, answers.yes])
  const { weight } = index
  assert.ok(weight > 0)
  stamps.set(1, 2)
  assert.deepEqual([...(await ask('TRAM'))], [answers.no, answers.no])
  assert.deepEqual(read, ['0/1 :subject', '1/1 :subject', '1/2 :subject'])
  assert.equal(index.weight, weight)
  stamps.clear()
  await ask('TRAIN', 2)
  assert.equal(index.weight, weight)
  assert.deepEqual([...(await ask('TRAIN'))], [answers.unknown, answers.unknown])
  assert.equal(index.weight, 0)
})

test('the same question is answered again without a look at the chunk, and no other question by its answer', async t => {
  const search: { cacheBytes: number } = limits.search
  const { cacheBytes } = search
  t.after(() => {
    search.cacheBytes = cacheBytes
  })
  // No piece is kept in memory, so that each look is seen.
  search.cacheBytes = 0
  const account = 1 as AccountId
  const email: Email = {
    numbers: { sent_at: null, sent_zone_minutes: 0, is_reply: 0 },
    texts: { base_subject: '', message_id: '', reference_ids: '' },
    bodies: ['a body'],
    headers: [],
    fields: { subject: ['A Head'], 'x-a': ['a head and a body'] },
  }
  const address: ChunkAddress = { level: 1, number: 0 }
  const packed = build(address, [email]).pack()
  const [casemap, octet] = foldings as [Folding, Folding]
  const questions = ['A BODY', 'A HEAD', 'a head', 'BODY'].flatMap(needle =>
    [casemap, octet].flatMap(folding => [
      [{ kind: 'text', needle, inHeaders: false }, folding] as const,
      [{ kind: 'text', needle, inHeaders: true }, folding] as const,
      [{ kind: 'header', name: 'subject', needle }, folding] as const,
      [{ kind: 'header', name: 'x-a', needle }, folding] as const,
      [{ kind: 'header', name: '', needle }, folding] as const,
    ]),
  )
  let asked = 0
  let stamp = 1
  const index = new ChunkedIndex({
    chunks: () => [{ edition: { ...address, stamp }, head: packed.head }],
    piece(_account, _edition, name) {
      asked++
      return packed.pieces.find(piece => piece.name === name)?.data
    },
  })
  const ask = (of: ChunkedIndex, [query, folding]: (typeof questions)[number]) =>
    of.answer(account, query, folding, Float64Array.of(0), () => {})
  for (const question of [...questions, ...questions.toReversed()]) {
    const alone = indexOf([[address, packed]])
    assert.deepEqual(await ask(index, question), await ask(alone, question), JSON.stringify(question))
  }
  const looks = asked
  assert.ok(looks > 0)
  for (const question of questions) await ask(index, question)
  assert.equal(asked, looks)
  // Another edition is asked itself.
  stamp = 2
  for (const question of questions) await ask(index, question)
  assert.equal(asked, 2 * looks)
})
