// The index as a search sees it: of each email, whether it can hold a text. What it does not know it says, and the email itself is looked at then.
//
// Text is compared folded by i;unicode-casemap. For another way of folding the answer is still one that misses nothing as long as what is looked for is
// ASCII, whose characters stay where they are.
import type { Awaitable } from '../../base/awaitable.ts'
import { type Breathe, inStretches, stepsPerBreath } from '../../base/breathe.ts'
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import { foldCase } from '../../message/case-map.ts'
import { FuzzyMatch, scoreOf } from '../../message/fuzzy-words.ts'
import {
  addressOf,
  type ChunkAddress,
  type ChunkEdition,
  type ChunkHead,
  editionKeyOf,
  firstEmail,
  keyOf,
  type PieceName,
  sizeOf,
} from './chunk.ts'
import type { ChunkSource, StoredChunk } from './chunk-store.ts'
import { HeaderColumn } from './header-column.ts'
import { type KeptColumn, type KeptValues, unpackNumbers } from './kept-numbers.ts'
import { type KeptTextColumn, type TextsBlock, unpackTexts } from './kept-texts.ts'
import { Postings, TermDictionary } from './term-table.ts'
import { type TermPattern, termPatterns } from '../../message/terms.ts'

/** In this order AND is the least and OR the greatest. */
export const answers = { no: 0, unknown: 1, yes: 2 } as const

/** A way of comparing texts: they are compared as `fold` makes them. */
export interface Folding {
  readonly name: string
  readonly fold: (text: string) => string
}

export type IndexQuery =
  /** A text part holds it, or, with `inHeaders`, a header. */
  | {
      readonly kind: 'text'
      /** Folded. */
      readonly needle: string
      readonly inHeaders: boolean
    }
  /** A field of that name, in lower case, holds it; any such field, when it is empty. */
  | { readonly kind: 'header'; readonly name: string; readonly needle: string }
  | FuzzyQuery

/** Words that stand, or nearly so, in the text parts (and headers), or in one of the fields of a name. RFC 6203. */
export interface FuzzyQuery {
  readonly kind: 'fuzzy'
  readonly words: readonly string[]
  readonly within:
    | { readonly kind: 'text'; readonly inHeaders: boolean }
    | { readonly kind: 'header'; readonly name: string }
}

export interface SearchIndex {
  /** One of `answers` for each of `emails`. `breathe` lets others run, and throws when nobody wants to know any more. */
  answer(
    account: AccountId,
    query: IndexQuery,
    folding: Folding,
    emails: Float64Array,
    breathe: Breathe,
  ): Awaitable<Uint8Array>
  /** How near each of `emails` comes to the words, from 0 to 1; NaN where it is not known. */
  scores(
    account: AccountId,
    query: FuzzyQuery,
    emails: Float64Array,
    breathe: Breathe,
  ): Awaitable<Float64Array>
  /** What is known of columns of an account's emails; undefined where nothing is. */
  columns(account: AccountId, breathe: Breathe): Awaitable<FindColumns | undefined>
}

/** Gives columns of `emailsAtOnce` emails, those from `block` times as many on; undefined where they are not known. */
export type FindColumns = (
  block: number,
  names: readonly IndexedColumn[],
) => Awaitable<ColumnsBlock | undefined>

export const emailsAtOnce = sizeOf({ level: 1, number: 0 })

export interface ColumnsBlock {
  /** The slots of the emails that are known, ascending. */
  readonly present: readonly number[]
  readonly last: ChunkHead['last']
  /** Those that were asked for. */
  readonly numbers: KeptValues | undefined
  readonly texts: ReadonlyMap<string, TextsBlock>
}

/** The columns of `email` that the index keeps. */
export type IndexedColumn = KeptColumn | KeptTextColumn

/** Where there is no index. */
export const noSearchIndex: SearchIndex = {
  answer: (_account, _query, _folding, emails) => unknownAnswers(emails.length),
  scores: (_account, _query, emails) => unknownScores(emails.length),
  columns: () => undefined,
}

function unknownScores(count: number): Float64Array {
  return new Float64Array(count).fill(Number.NaN)
}

function unknownAnswers(count: number): Uint8Array {
  return new Uint8Array(count).fill(answers.unknown)
}

/** What is known of each email from `first` up to `end`; nothing where there is no chunk. */
interface Stretch {
  readonly first: number
  readonly end: number
  readonly known: ArrayLike<number> | undefined
}

/** `:name` folded in some way, or another piece. */
type Piece = HeaderColumn | TermDictionary | Postings

/** What is in memory of one edition of a chunk. */
interface Edition {
  readonly pieces: Map<string, Piece>
  weight: number
}

const editionWeight = 500

/** What large chunks have answered to one question: small ones are soon asked. An edition never changes, so what it has answered stays right. */
class Answered {
  readonly #byEdition = new Map<string, Uint8Array>()
  /** About its bytes. */
  weight = answeredWeight

  get(edition: string): Uint8Array | undefined {
    return this.#byEdition.get(edition)
  }

  get count(): number {
    return this.#byEdition.size
  }

  set(edition: string, found: Uint8Array): Uint8Array {
    this.#byEdition.set(edition, found)
    this.weight += found.length + answeredWeight
    return found
  }
}

/** About the bytes of an answer beside what it says: its key and the objects around it. */
const answeredWeight = 500

export class ChunkedIndex implements SearchIndex {
  readonly #source: ChunkSource
  readonly #editions = new Lru<string, Edition>(limits.search.cacheBytes)
  /** By the question. */
  readonly #answered = new Lru<string, Answered>(limits.search.answeredBytes)
  /** The keys of the editions that each account had when it was asked last. */
  readonly #current = new Lru<AccountId, ReadonlySet<string>>(limits.search.currentEditions)
  readonly #byAddress = new WeakMap<readonly StoredChunk[], ReadonlyMap<string, StoredChunk>>()

  constructor(source: ChunkSource) {
    this.#source = source
  }

  /** About the bytes of the pieces that are in memory. */
  get weight(): number {
    return this.#editions.weight
  }

  async answer(
    account: AccountId,
    query: IndexQuery,
    folding: Folding,
    emails: Float64Array,
    breathe: Breathe,
  ): Promise<Uint8Array> {
    const found = unknownAnswers(emails.length)
    if (query.kind === 'fuzzy') {
      const scores = await this.scores(account, query, emails, breathe)
      await inStretches(scores.length, breathe, (from, to) => {
        for (let place = from; place < to; place++) found[place] = answerOf(scores[place] as number)
      })
      return found
    }
    const plan = planOf(query, folding)
    if (!plan) return found
    const question = questionOf(query, folding)
    const answered = this.#answered.get(question) ?? new Answered()
    const ask = (chunk: StoredChunk): Awaitable<Uint8Array> => {
      const reading = () => answersOf(new ChunkReading(account, chunk, this.#load), plan)
      if (chunk.edition.level === 0) return reading()
      const edition = editionKeyOf(account, chunk.edition)
      return answered.get(edition) ?? reading().then(known => answered.set(edition, known))
    }
    await this.#ask(account, emails, ask, found, breathe)
    if (answered.count > 0) this.#answered.set(question, answered, answered.weight + question.length)
    return found
  }

  async scores(
    account: AccountId,
    query: FuzzyQuery,
    emails: Float64Array,
    breathe: Breathe,
  ): Promise<Float64Array> {
    const found = unknownScores(emails.length)
    const ask = (chunk: StoredChunk) => new ChunkReading(account, chunk, this.#load).scores(query)
    await this.#ask(account, emails, ask, found, breathe)
    return found
  }

  async columns(account: AccountId, breathe: Breathe): Promise<FindColumns> {
    const chunks = await this.#chunks(account, breathe)
    return async (number, names) => {
      const chunk = chunks.get(keyOf({ level: 1, number }))
      if (!chunk) return undefined
      // Whoever asks keeps them.
      const pieces = [...new Set(names.map(pieceOf))]
      const found = await Promise.all(
        pieces.map(async name => [name, await this.#source.piece(account, chunk.edition, name)] as const),
      )
      let numbers: KeptValues | undefined
      const texts = new Map<string, TextsBlock>()
      for (const [name, data] of found) {
        if (!data) return undefined
        if (name === 'numbers') numbers = unpackNumbers(data)
        else texts.set(name, unpackTexts(data))
      }
      return { present: chunk.head.present, last: chunk.head.last, numbers, texts }
    }
  }

  /** Puts into `found` what each email's chunk says of it. */
  async #ask(
    account: AccountId,
    emails: Float64Array,
    ask: (chunk: StoredChunk) => Awaitable<ArrayLike<number>>,
    found: Uint8Array | Float64Array,
    breathe: Breathe,
  ): Promise<void> {
    const chunks = await this.#chunks(account, breathe)
    if (chunks.size === 0) return
    const stretches = new Map<string, Stretch>()
    for (let place = 0; place < emails.length; ) {
      const address = chunkOf(chunks, emails[place] as number)
      const key = keyOf(address)
      const seen = stretches.get(key)
      const stretch = seen ?? (await this.#stretch(address, chunks.get(key), ask))
      if (!seen) stretches.set(key, stretch)
      place = takeKnown(stretch, emails, found, place, Math.min(place + stepsPerBreath, emails.length))
      const breath = breathe()
      if (breath !== undefined) await breath
    }
  }

  async #chunks(account: AccountId, breathe: Breathe): Promise<ReadonlyMap<string, StoredChunk>> {
    const chunks = await this.#source.chunks(account, breathe)
    const known = this.#byAddress.get(chunks)
    if (known) return known
    this.#letGo(account, new Set(chunks.map(({ edition }) => editionKeyOf(account, edition))))
    const byAddress = new Map(chunks.map(chunk => [keyOf(chunk.edition), chunk]))
    this.#byAddress.set(chunks, byAddress)
    return byAddress
  }

  /** Forgets the pieces of editions that others have taken the place of. */
  #letGo(account: AccountId, current: ReadonlySet<string>): void {
    for (const key of this.#current.get(account) ?? []) if (!current.has(key)) this.#editions.delete(key)
    if (current.size > 0) this.#current.set(account, current, current.size)
    else this.#current.delete(account)
  }

  async #stretch(
    address: ChunkAddress,
    chunk: StoredChunk | undefined,
    ask: (chunk: StoredChunk) => Awaitable<ArrayLike<number>>,
  ): Promise<Stretch> {
    const first = firstEmail(address)
    const end = first + sizeOf(address)
    if (!chunk) return { first, end, known: undefined }
    try {
      return { first, end, known: await ask(chunk) }
    } catch (error) {
      if (!(error instanceof MissingPiece)) throw error
      return { first, end, known: undefined }
    }
  }

  /** A piece in memory. Throws MissingPiece. */
  readonly #load = async <T extends Piece>(
    account: AccountId,
    edition: ChunkEdition,
    name: PieceName,
    variant: string,
    make: (data: Uint8Array) => T,
  ): Promise<T> => {
    const key = editionKeyOf(account, edition)
    const pieceKey = `${name} ${variant}`
    const known = this.#editions.get(key)?.pieces.get(pieceKey)
    if (known) return known as T
    const data = await this.#source.piece(account, edition, name)
    // The indexer may have put another chunk in its place just now.
    if (!data) throw new MissingPiece()
    const kept = this.#editions.get(key) ?? { pieces: new Map<string, Piece>(), weight: editionWeight }
    const meanwhile = kept.pieces.get(pieceKey)
    if (meanwhile) return meanwhile as T
    const made = make(data)
    kept.pieces.set(pieceKey, made)
    kept.weight += made.weight + 200
    this.#editions.set(key, kept, kept.weight)
    return made
  }
}

/** The piece that has a column. */
function pieceOf(name: IndexedColumn): KeptTextColumn | 'numbers' {
  return name === 'base_subject' || name === 'message_id' || name === 'reference_ids' ? name : 'numbers'
}

class MissingPiece extends Error {}

type Load = <T extends Piece>(
  account: AccountId,
  edition: ChunkEdition,
  name: PieceName,
  variant: string,
  make: (data: Uint8Array) => T,
) => Promise<T>

type ExactQuery = Exclude<IndexQuery, FuzzyQuery>

interface Plan {
  readonly query: ExactQuery
  readonly folding: Folding
  readonly patterns: readonly TermPattern[]
  /** The index can be asked which words there are. */
  readonly hasPatterns: boolean
}

/** Undefined where the index knows nothing about it. */
function planOf(query: ExactQuery, folding: Folding): Plan | undefined {
  const { needle } = query
  // RFC 5051 folds where other collations do not; only ASCII is surely found nevertheless.
  const isSafe = folding.fold === foldCase || /^[\x00-\x7f]*$/.test(needle)
  const patterns = isSafe && needle.isWellFormed() ? termPatterns(foldCase(needle)) : []
  if (query.kind === 'text' && patterns.length === 0) return undefined
  if (!needle.isWellFormed()) return undefined
  return { query, folding, patterns, hasPatterns: patterns.length > 0 }
}

/** Tells what is asked, and how texts are compared, from all else. */
function questionOf(query: ExactQuery, { name }: Folding): string {
  const within = query.kind === 'header' ? `:${query.name}` : query.inHeaders ? 'text' : 'body'
  return JSON.stringify([within, name, query.needle])
}

function answersOf(chunk: ChunkReading, plan: Plan): Promise<Uint8Array> {
  const { query } = plan
  return query.kind === 'header'
    ? chunk.headerAnswers(query.name, plan)
    : chunk.textAnswers(plan, query.inHeaders)
}

function answerOf(score: number): number {
  if (Number.isNaN(score)) return answers.unknown
  return score > 0 ? answers.yes : answers.no
}

/** Puts into `found` what is known of emails that lie in a stretch, up to the place of one that does not, which it gives. */
function takeKnown(
  { first, end, known }: Stretch,
  emails: Float64Array,
  found: Uint8Array | Float64Array,
  from: number,
  to: number,
): number {
  for (let place = from; place < to; place++) {
    const email = emails[place] as number
    if (email < first || email >= end) return place
    if (known) found[place] = known[email - first] as number
  }
  return to
}

/** The chunk in which an email lies: the largest that there is, else where one of the smallest would be. */
function chunkOf(chunks: ReadonlyMap<string, StoredChunk>, email: number): ChunkAddress {
  const large = addressOf(1, email)
  return chunks.has(keyOf(large)) ? large : addressOf(0, email)
}

/** One chunk while it is asked. */
class ChunkReading {
  readonly #account: AccountId
  readonly #edition: ChunkEdition
  readonly #head: ChunkHead
  readonly #load: Load

  constructor(account: AccountId, { edition, head }: StoredChunk, load: Load) {
    this.#account = account
    this.#edition = edition
    this.#head = head
    this.#load = load
  }

  async textAnswers({ patterns }: Plan, inHeaders: boolean): Promise<Uint8Array> {
    const { openBodies, openHeads } = this.#head
    const candidates = await this.#candidates('body', patterns)
    if (!inHeaders) return this.#settle(candidates, openBodies)
    const inHead = await this.#candidates('head', patterns)
    for (let slot = 0; slot < inHead.length; slot++)
      candidates[slot] = (candidates[slot] as number) | (inHead[slot] as number)
    return this.#settle(candidates, openBodies, openHeads)
  }

  async headerAnswers(name: string, { query, folding, patterns, hasPatterns }: Plan): Promise<Uint8Array> {
    const { columns, skipped, openHeads } = this.#head
    if (skipped.includes(name)) {
      const candidates = hasPatterns
        ? await this.#candidates('head', patterns)
        : this.#none().fill(answers.unknown)
      return this.#settle(candidates, openHeads)
    }
    const matches = this.#none()
    if (columns.includes(name)) {
      const make = (data: Uint8Array) => new HeaderColumn(data, folding.fold)
      const column = await this.#load(this.#account, this.#edition, `:${name}`, folding.name, make)
      column.mark(query.needle, matches, answers.yes)
    }
    return this.#settle(matches, openHeads)
  }

  async scores({ words, within }: FuzzyQuery): Promise<Float64Array> {
    const size = sizeOf(this.#edition)
    // How near each word comes, slot by slot.
    const best = words.map(() => new Float64Array(size))
    const { openBodies, openHeads, columns, skipped } = this.#head
    if (within.kind === 'text') {
      await this.#nearest('body', words, best)
      if (within.inHeaders) await this.#nearest('head', words, best)
      return this.#scored(best, within.inHeaders ? [openBodies, openHeads] : [openBodies])
    }
    if (skipped.includes(within.name)) return unknownScores(size)
    const scores = new Float64Array(size)
    if (columns.includes(within.name)) {
      const make = (data: Uint8Array) => new HeaderColumn(data, foldCase)
      const column = await this.#load(
        this.#account,
        this.#edition,
        `:${within.name}`,
        'i;unicode-casemap',
        make,
      )
      const judge = (text: string) => {
        const match = new FuzzyMatch(words)
        match.take(text)
        return match.score
      }
      column.judge(judge, (slot, score) => {
        scores[slot] = Math.max(scores[slot] as number, score)
      })
    }
    return this.#known(scores, [openHeads])
  }

  async #nearest(
    name: 'body' | 'head',
    words: readonly string[],
    best: readonly Float64Array[],
  ): Promise<void> {
    const dictionary = await this.#dictionary(name)
    const postings = await this.#postings(name, dictionary)
    for (const [at, word] of words.entries()) {
      const column = best[at] as Float64Array
      dictionary.near(word, (term, near) =>
        postings.each(term, slot => {
          if (near > (column[slot] as number)) column[slot] = near
        }),
      )
    }
  }

  #scored(best: readonly Float64Array[], open: readonly (readonly number[])[]): Float64Array {
    const scores = new Float64Array(sizeOf(this.#edition))
    for (const slot of scores.keys()) scores[slot] = scoreOf(best.map(column => column[slot] as number))
    return this.#known(scores, open)
  }

  #known(scores: Float64Array, open: readonly (readonly number[])[]): Float64Array {
    const known = unknownScores(scores.length)
    for (const slot of this.#head.present) known[slot] = scores[slot] as number
    for (const slots of open) for (const slot of slots) known[slot] = Number.NaN
    return known
  }

  #dictionary(name: 'body' | 'head'): Promise<TermDictionary> {
    return this.#load(this.#account, this.#edition, name, '', data => new TermDictionary(data))
  }

  #postings(name: 'body' | 'head', dictionary: TermDictionary): Promise<Postings> {
    const make = (data: Uint8Array) => new Postings(data, dictionary.count)
    return this.#load(this.#account, this.#edition, `${name}/at`, '', make)
  }

  /** `unknown` for each slot whose words fulfil all the patterns, else `no`. */
  async #candidates(name: 'body' | 'head', patterns: readonly TermPattern[]): Promise<Uint8Array> {
    const dictionary = await this.#dictionary(name)
    let candidates: Uint8Array | undefined
    for (const pattern of patterns) {
      const terms = dictionary.find(pattern)
      if (terms.length === 0) return this.#none()
      const postings = await this.#postings(name, dictionary)
      const marks = this.#none()
      for (const term of terms)
        postings.each(term, slot => {
          marks[slot] = answers.unknown
        })
      if (candidates)
        for (let slot = 0; slot < marks.length; slot++)
          marks[slot] = (marks[slot] as number) & (candidates[slot] as number)
      candidates = marks
    }
    return candidates ?? this.#none()
  }

  /** Nothing but `no`. */
  #none(): Uint8Array {
    return new Uint8Array(sizeOf(this.#edition))
  }

  /** What was found of each slot, but `unknown` where the chunk has nothing to say. */
  #settle(found: Uint8Array, ...open: readonly (readonly number[])[]): Uint8Array {
    const { present } = this.#head
    // Most chunks are whole.
    if (present.length < found.length) {
      let next = 0
      for (let slot = 0; slot < found.length; slot++)
        if (present[next] === slot) next++
        else found[slot] = answers.unknown
    }
    for (const slots of open) for (const slot of slots) found[slot] = answers.unknown
    return found
  }
}
