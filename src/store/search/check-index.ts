// Whether the search index says of each email what stands in it. One that does not makes SEARCH leave out messages, or show wrong ones: damage. What is
// only broken is found by its checksum, searched without, and made again.
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId, BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { foldCase } from '../../message/case-map.ts'
import { eachTerm } from '../../message/terms.ts'
import { type ChunkEdition, DamagedChunk, firstEmail, type PieceName, pieceNames, sizeOf } from './chunk.ts'
import type { ChunkSource, StoredChunk } from './chunk-store.ts'
import { HeaderColumn } from './header-column.ts'
import { type KeptValues, unpackNumbers } from './kept-numbers.ts'
import { type KeptTextColumn, keptTextColumns, type TextsBlock, textIn, unpackTexts } from './kept-texts.ts'
import { addEmail, type BegunEmail, type EmailSink, headBytesOf, type IndexedEmail } from './read-email.ts'
import { Postings, TermDictionary } from './term-table.ts'

export interface IndexedStore {
  /** Throws `DamagedChunk`. */
  readonly source: ChunkSource
  /** How a wrong index is made anew. */
  readonly remedy: string
  accounts(): Awaitable<readonly AccountId[]>
  emails(account: AccountId, first: number, last: number): Awaitable<readonly IndexedEmail[]>
  /** Undefined where it is gone, or damaged: that is told elsewhere. */
  read(account: AccountId, hash: BlobHash): Awaitable<Buffer | undefined>
  /** Called between chunks, and between steps of large emails. */
  breathe(): Promise<void>
}

export const indexedAccountsSql = `SELECT id FROM account WHERE id > 0 AND state <> 'removing' ORDER BY id`

type Find = (severity: 'damage' | 'leftover', kind: string, detail: string) => void

/** Reads every chunk and, `withEmails`, every email that it knows. */
export async function checkIndex(store: IndexedStore, withEmails: boolean, find: Find): Promise<void> {
  for (const account of await store.accounts()) {
    let chunks: readonly StoredChunk[]
    try {
      chunks = await store.source.chunks(account, () => store.breathe())
    } catch (error) {
      if (!(error instanceof DamagedChunk)) throw error
      find('leftover', 'search-index-broken', `the search index of account ${account} is made again`)
      continue
    }
    for (const chunk of chunks) {
      await checkChunk(store, account, chunk, withEmails, find)
      await store.breathe()
    }
  }
}

async function checkChunk(
  store: IndexedStore,
  account: AccountId,
  chunk: StoredChunk,
  withEmails: boolean,
  find: Find,
): Promise<void> {
  const first = firstEmail(chunk.edition)
  const last = first + sizeOf(chunk.edition) - 1
  const pieces = await readPieces(store.source, account, chunk)
  if (!pieces) {
    // The indexer may have put another in its place meanwhile.
    const isThere = (await store.source.chunks(account, () => store.breathe())).some(
      ({ edition }) => edition.stamp === chunk.edition.stamp,
    )
    if (isThere)
      find(
        'leftover',
        'search-index-broken',
        `the search index of emails ${first} to ${last} of account ${account} is made again`,
      )
    return
  }
  if (!withEmails) return
  const witness = new Witness(chunk, pieces)
  for (const row of await store.emails(account, first, last)) {
    const slot = row.id - first
    if (!witness.knows(slot)) continue
    const bytes = await store.read(account, row.hash)
    if (!bytes) continue
    const source = {
      head: () => bytes.subarray(0, headBytesOf(row)),
      read: (start: number, end: number) => bytes.subarray(start, end),
      breathe: () => store.breathe(),
    }
    await addEmail(witness, slot, row, source)
    witness.end(slot)
  }
  if (witness.wrong.size === 0) return
  const emails = [...witness.wrong].map(slot => first + slot)
  find(
    'damage',
    'search-index',
    `the search index of account ${account} does not say what stands in email ${emails[0]}${emails.length > 1 ? ` and ${emails.length - 1} more` : ''}: ${store.remedy}`,
  )
}

type Pieces = ReadonlyMap<PieceName, Uint8Array>

/** Undefined where one of them is missing or damaged. */
async function readPieces(
  source: ChunkSource,
  account: AccountId,
  { edition, head }: StoredChunk,
): Promise<Pieces | undefined> {
  const pieces = new Map<PieceName, Uint8Array>()
  for (const name of pieceNames(head)) {
    const piece = await readPiece(source, account, edition, name)
    if (!piece) return undefined
    pieces.set(name, piece)
  }
  return pieces
}

async function readPiece(
  source: ChunkSource,
  account: AccountId,
  edition: ChunkEdition,
  name: PieceName,
): Promise<Uint8Array | undefined> {
  try {
    return await source.piece(account, edition, name)
  } catch (error) {
    if (error instanceof DamagedChunk) return undefined
    throw error
  }
}

/** Hears what stands in the emails of a chunk and holds it against what the chunk says. */
class Witness implements EmailSink {
  /** Slots of which the chunk says what is not so. */
  readonly wrong = new Set<number>()
  readonly #present: ReadonlySet<number>
  readonly #openBodies: ReadonlySet<number>
  readonly #openHeads: ReadonlySet<number>
  readonly #skipped: ReadonlySet<string>
  readonly #numbers: KeptValues
  readonly #texts: ReadonlyMap<KeptTextColumn, TextsBlock>
  readonly #bodies: Words
  readonly #heads: Words
  /** The values of each field by slot: what is not heard of is not there. */
  readonly #columns = new Map<string, Map<number, Set<string>>>()

  constructor({ head, edition }: StoredChunk, pieces: Pieces) {
    this.#present = new Set(head.present)
    this.#openBodies = new Set(head.openBodies)
    this.#openHeads = new Set(head.openHeads)
    this.#skipped = new Set(head.skipped)
    const piece = (name: PieceName) => pieces.get(name) as Uint8Array
    this.#numbers = unpackNumbers(piece('numbers'))
    this.#texts = new Map(keptTextColumns.map(name => [name, unpackTexts(piece(name))]))
    this.#bodies = new Words(piece('body'), piece('body/at'), sizeOf(edition))
    this.#heads = new Words(piece('head'), piece('head/at'), sizeOf(edition))
    for (const name of head.columns) {
      const bySlot = new Map<number, Set<string>>()
      new HeaderColumn(piece(`:${name}`), text => text).each((text, slot) => {
        const values = bySlot.get(slot)
        if (values) values.add(text)
        else bySlot.set(slot, new Set([text]))
      })
      this.#columns.set(name, bySlot)
    }
  }

  /** Whether it says anything of the email. */
  knows(slot: number): boolean {
    return this.#present.has(slot)
  }

  begin(slot: number, email: BegunEmail): void {
    const { sent_at, sent_zone_minutes, is_reply } = this.#numbers
    const isRight =
      Object.is(sent_at[slot], email.sent_at ?? Number.NaN) &&
      sent_zone_minutes[slot] === email.sent_zone_minutes &&
      is_reply[slot] === email.is_reply
    if (!isRight) this.wrong.add(slot)
    for (const [name, texts] of this.#texts)
      if ((textIn(texts, slot) ?? email[name]) !== email[name]) this.wrong.add(slot)
  }

  addText(slot: number, text: string, isHeader: boolean): void {
    if ((isHeader ? this.#openHeads : this.#openBodies).has(slot)) return
    this.#hold(isHeader ? this.#heads : this.#bodies, slot, text)
  }

  addHeader(slot: number, values: ReadonlyMap<string, readonly string[]>): void {
    if (this.#openHeads.has(slot)) return
    if (values.size > limits.search.fieldsPerMessage) {
      this.wrong.add(slot)
      return
    }
    for (const [name, texts] of values) {
      const known = this.#columns.get(name)?.get(slot)
      for (const text of texts) {
        if (this.#skipped.has(name)) this.#hold(this.#heads, slot, text)
        else if (!known?.has(text)) this.wrong.add(slot)
      }
      for (const text of texts) known?.delete(text)
    }
  }

  /** More than the index takes: it must not have said anything. */
  openHead(slot: number): void {
    if (!this.#openHeads.has(slot)) this.wrong.add(slot)
  }

  openBody(slot: number): void {
    if (!this.#openBodies.has(slot)) this.wrong.add(slot)
  }

  /** All of the email was heard. */
  end(slot: number): void {
    if (this.#openHeads.has(slot)) return
    for (const bySlot of this.#columns.values()) if ((bySlot.get(slot)?.size ?? 0) > 0) this.wrong.add(slot)
  }

  #hold(words: Words, slot: number, text: string): void {
    eachTerm(foldCase(text), term => {
      if (!words.has(term, slot)) this.wrong.add(slot)
    })
  }
}

/** Which words stand in which emails. */
class Words {
  readonly #numbers = new Map<string, number>()
  readonly #bySlot: readonly Set<number>[]

  constructor(packedWords: Uint8Array, packedPlaces: Uint8Array, size: number) {
    const dictionary = new TermDictionary(packedWords)
    const postings = new Postings(packedPlaces, dictionary.count)
    this.#bySlot = Array.from({ length: size }, () => new Set<number>())
    for (let number = 0; number < dictionary.count; number++) {
      this.#numbers.set(dictionary.termAt(number), number)
      postings.each(number, slot => this.#bySlot[slot]?.add(number))
    }
  }

  has(term: string, slot: number): boolean {
    const number = this.#numbers.get(term)
    return number !== undefined && this.#bySlot[slot]?.has(number) === true
  }
}
