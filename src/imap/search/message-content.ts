// What SEARCH reads of one message: its row, its header fields, and its text, decoded. RFC 9051 §6.4.4.
import type { Awaitable } from '../../base/awaitable.ts'
import { isMark, markMargin } from '../../message/case-map.ts'
import {
  decodeHeaderValue,
  rawHeaderValues,
  searchableTexts,
  type TextStep,
} from '../../message/searchable-text.ts'
import { unpackParts } from '../../message/sections.ts'
import { FuzzyMatch } from '../../message/fuzzy-words.ts'
import type { EmailRow } from '../fetch/email-rows.ts'
import type { Collation } from './collation.ts'
import type { TextNeedle } from './search-key.ts'

/** What a scan asks of its surroundings. */
export interface ScanSource {
  /** Reads bytes of the message. Throws `StoreError` `no-such-body`. */
  read(start: number, end: number): Awaitable<Buffer>
  /** Lets others run. Throws ConnectionError when nobody waits for the answer any more. */
  breathe(): Awaitable<void>
}

/** Characters that are folded and looked through at a time. */
const sliceLength = 128 * 1024

export class MessageContent {
  readonly row: EmailRow
  /** The first bytes of the message: the header block at least, where a key reads bytes. */
  readonly #head: Buffer | undefined
  /** Values as they stand, by lower-case name: the header is gone through once, however many keys ask. */
  #raw: ReadonlyMap<string, readonly string[]> | undefined
  readonly #fold: Collation['fold']
  /** Folded values by lower-case name. */
  readonly #values = new Map<string, readonly string[]>()
  #scanner: Scanner | undefined

  /** `fold`: the session's comparator's. */
  constructor(row: EmailRow, head: Buffer | undefined, fold: Collation['fold']) {
    this.row = row
    this.#head = head
    this.#fold = fold
  }

  /** The values of all fields of that name (lower case, Latin-1), decoded and folded. */
  valuesOf(name: string): readonly string[] {
    const known = this.#values.get(name)
    if (known) return known
    if (!this.#head) throw new Error('a key reads bytes that it did not ask for')
    this.#raw ??= rawHeaderValues(this.#head, this.row.header_bytes)
    const values = (this.#raw.get(name) ?? []).map(value => this.#fold(decodeHeaderValue(value)))
    this.#values.set(name, values)
    return values
  }

  /** Whether `scan` found it. */
  has(needle: TextNeedle): boolean {
    return this.#scanned.found.has(needle)
  }

  /** How near `scan` found the words of a fuzzy needle, from 0 to 1. */
  scoreOf(needle: TextNeedle): number {
    return this.#scanned.scoreOf(needle)
  }

  get #scanned(): Scanner {
    if (!this.#scanner) throw new Error('a key looks for text that was not scanned')
    return this.#scanner
  }

  /**
   * Looks for all the needles at once, as each text is decoded once, and until all are found. Of the message only headers and text are read. No
   * promise where nothing has to be waited for.
   */
  scan(needles: readonly TextNeedle[], source: ScanSource): Awaitable<void> {
    const scanner = new Scanner(needles, this.#head, source, this.#fold)
    this.#scanner = scanner
    const steps = searchableTexts(unpackParts(this.row.parts), scanner.withHeaders)
    return scanner.run(steps, undefined)
  }
}

class Scanner {
  readonly found = new Set<TextNeedle>()
  readonly withHeaders: boolean
  /** Of the needles that are fuzzy. */
  readonly #matches = new Map<TextNeedle, FuzzyMatch>()
  readonly #needles: readonly TextNeedle[]
  readonly #head: Buffer | undefined
  readonly #source: ScanSource
  readonly #fold: Collation['fold']
  /** What two slices share, so that no match falls between them. A character outside the BMP can fold to one inside it. */
  readonly #overlap: number

  constructor(
    needles: readonly TextNeedle[],
    head: Buffer | undefined,
    source: ScanSource,
    fold: Collation['fold'],
  ) {
    this.#fold = fold
    this.#needles = needles
    this.withHeaders = needles.some(({ inHeaders }) => inHeaders)
    this.#head = head
    this.#source = source
    this.#overlap = 2 * (Math.max(0, ...needles.map(({ text }) => text.length)) + markMargin)
    // The empty string is a part of any text, even of none.
    for (const needle of needles) {
      if (needle.words) this.#matches.set(needle, new FuzzyMatch(needle.words))
      else if (needle.text === '') this.found.add(needle)
    }
  }

  scoreOf(needle: TextNeedle): number {
    return this.#matches.get(needle)?.score ?? 0
  }

  /** Takes the steps from here on; `input` is what the first of them waits for. */
  run(steps: Generator<TextStep, void, Buffer | undefined>, input: Buffer | undefined): Awaitable<void> {
    let bytes = input
    while (!this.#isDone) {
      const { done, value: step } = steps.next(bytes)
      if (done) return
      bytes = undefined
      if (step.kind === 'read') {
        const read = this.#bytes(step.start, step.end)
        if (read instanceof Promise) return read.then(found => this.run(steps, found))
        bytes = read
        continue
      }
      const pending = step.kind === 'pause' ? this.#source.breathe() : this.#look(step.text, step.isHeader)
      if (pending !== undefined) return pending.then(() => this.run(steps, undefined))
    }
  }

  #look(text: string, isHeader: boolean): Awaitable<void> {
    if (text.length > sliceLength) return this.#lookInSlices(text, isHeader)
    this.#lookAt(text, isHeader)
  }

  async #lookInSlices(text: string, isHeader: boolean): Promise<void> {
    for (let start = 0; !this.#isDone; start += sliceLength) {
      const end = start + sliceLength + this.#overlap
      this.#lookAt(text.slice(safeCut(text, start), safeCut(text, end)), isHeader)
      if (end >= text.length) return
      const breath = this.#source.breathe()
      if (breath !== undefined) await breath
    }
  }

  #lookAt(text: string, isHeader: boolean): void {
    const folded = this.#fold(text)
    for (const needle of this.#needles) {
      if (isHeader && !needle.inHeaders) continue
      const match = this.#matches.get(needle)
      match?.take(text)
      const isFound = match ? match.score > 0 : folded.includes(needle.text)
      if (isFound && needle.isThorough !== true) this.found.add(needle)
    }
  }

  get #isDone(): boolean {
    return this.found.size === this.#needles.length
  }

  #bytes(start: number, end: number): Awaitable<Buffer> {
    const head = this.#head
    return head && end <= head.length ? head.subarray(start, end) : this.#source.read(start, end)
  }
}

/** The nearest place at or before `at` that does not part a character from its marks, which would be folded otherwise then. */
function safeCut(text: string, at: number): number {
  if (at >= text.length) return text.length
  let cut = at
  while (cut > 0 && at - cut < markMargin && isMark(text.charCodeAt(cut))) cut--
  return cut
}
