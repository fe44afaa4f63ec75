// Makes a chunk: from messages, or from chunks that are there.
import { limits } from '../../base/limits.ts'
import { hasLongMarks } from '../../message/case-map.ts'
import { type ChunkAddress, type ChunkHead, type PackedChunk, type PieceName, sizeOf } from './chunk.ts'
import { HeaderColumnBuilder } from './header-column.ts'
import { KeptNumbersBuilder } from './kept-numbers.ts'
import { type KeptTextColumn, keptTextColumns, KeptTextsBuilder } from './kept-texts.ts'
import type { BegunEmail, EmailSink } from './read-email.ts'
import { TermTableBuilder } from './term-table-builder.ts'

/** Fields whose values are always kept, as everyone searches them. */
const common: ReadonlySet<string> = new Set(['subject', 'from', 'to', 'cc', 'bcc'])

/** Only fields with such names have columns. */
const isPlain = /^[\x21-\x7e]*$/

export type ReadPiece = (name: PieceName) => Uint8Array

export class ChunkBuilder implements EmailSink {
  readonly #size: number
  readonly #present = new Set<number>()
  readonly #openBodies = new Set<number>()
  readonly #openHeads = new Set<number>()
  readonly #numbers: KeptNumbersBuilder
  readonly #texts: ReadonlyMap<KeptTextColumn, KeptTextsBuilder>
  readonly #bodies = new TermTableBuilder()
  readonly #heads = new TermTableBuilder()
  readonly #columns = new Map<string, HeaderColumnBuilder>()
  readonly #skipped = new Set<string>()
  #last: ChunkHead['last']

  constructor(address: ChunkAddress) {
    this.#size = sizeOf(address)
    this.#numbers = new KeptNumbersBuilder(this.#size)
    this.#texts = new Map(keptTextColumns.map(name => [name, new KeptTextsBuilder(this.#size)]))
  }

  /** A message; in ascending order of slots. What is said next is about it. */
  begin(slot: number, email: BegunEmail): void {
    this.#present.add(slot)
    this.#last = [email.id, email.hash]
    this.#numbers.add(slot, email)
    for (const [name, texts] of this.#texts) texts.add(slot, email[name])
  }

  addText(slot: number, text: string, isHeader: boolean): void {
    const open = isHeader ? this.#openHeads : this.#openBodies
    if (open.has(slot)) return
    // In a search long texts are folded in pieces, where that makes no difference.
    const isTooMuch =
      text.length > limits.search.textCharacters || (text.length > 0x10000 && hasLongMarks(text))
    if (isTooMuch || !this.#addTerms(slot, text, isHeader)) open.add(slot)
  }

  #addTerms(slot: number, text: string, isHeader: boolean): boolean {
    const terms = isHeader ? this.#heads : this.#bodies
    const most = terms.length + limits.search.newTermCharacters
    terms.addText(text, slot, most)
    return terms.length < most
  }

  addHeader(slot: number, values: ReadonlyMap<string, readonly string[]>): void {
    if (values.size > limits.search.fieldsPerMessage) {
      this.openHead(slot)
      return
    }
    for (const [name, texts] of values) {
      for (const text of texts) {
        if (text.length > limits.search.valueCharacters || !text.isWellFormed()) this.openHead(slot)
        else this.#column(name).add(text, slot)
      }
    }
  }

  #column(name: string): HeaderColumnBuilder {
    const known = this.#columns.get(name)
    if (known) return known
    if (!isPlain.test(name)) this.#skipped.add(name)
    const column = new HeaderColumnBuilder()
    this.#columns.set(name, column)
    return column
  }

  openHead(slot: number): void {
    this.#openHeads.add(slot)
  }

  openBody(slot: number): void {
    this.#openBodies.add(slot)
  }

  /** Takes over what another chunk says, its slots moved by `shift`, but for emails that `isGone`. */
  addChunk(head: ChunkHead, piece: ReadPiece, shift: number, isGone: (slot: number) => boolean): void {
    const present = head.present.filter(slot => !isGone(slot))
    const kept = (slots: readonly number[]) => slots.filter(slot => !isGone(slot)).map(slot => slot + shift)
    for (const slot of present) this.#present.add(slot + shift)
    for (const slot of kept(head.openBodies)) this.#openBodies.add(slot)
    for (const slot of kept(head.openHeads)) this.#openHeads.add(slot)
    if (head.last) this.#last = head.last
    this.#numbers.addAll(piece('numbers'), present, shift)
    for (const [name, texts] of this.#texts) texts.addAll(piece(name), present, shift)
    for (const [builder, name] of [
      [this.#bodies, 'body'],
      [this.#heads, 'head'],
    ] as const) {
      builder.addAll({ dictionary: piece(name), postings: piece(`${name}/at`) }, shift, isGone)
    }
    for (const name of head.skipped) this.#skipped.add(name)
    for (const name of head.columns) this.#column(name).addAll(piece(`:${name}`), shift, isGone)
  }

  get isEmpty(): boolean {
    return this.#present.size === 0
  }

  pack(): PackedChunk {
    this.#skipLongColumns()
    const bodies = this.#bodies.pack()
    const heads = this.#heads.pack()
    const sorted = (slots: ReadonlySet<number>) => [...slots].sort((a, b) => a - b)
    return {
      head: {
        present: sorted(this.#present),
        openBodies: sorted(this.#openBodies),
        openHeads: sorted(this.#openHeads),
        columns: [...this.#columns.keys()],
        skipped: [...this.#skipped],
        last: this.#last,
      },
      pieces: [
        { name: 'numbers', data: this.#numbers.pack() },
        ...[...this.#texts].map(([name, texts]) => ({ name, data: texts.pack(name === 'base_subject') })),
        { name: 'body', data: bodies.dictionary },
        { name: 'body/at', data: bodies.postings },
        { name: 'head', data: heads.dictionary },
        { name: 'head/at', data: heads.postings },
        ...[...this.#columns].map(([name, column]) => ({ name: `:${name}` as const, data: column.pack() })),
      ],
    }
  }

  /** Of long values, as the traces of a message's way are, only the words are kept, which stand in the header's text. */
  #skipLongColumns(): void {
    const most = limits.search.columnCharacters * this.#size
    let count = 0
    for (const [name, column] of this.#columns) {
      const isKept =
        common.has(name) ||
        (!this.#skipped.has(name) && column.length <= most && ++count <= limits.search.columns)
      if (isKept) continue
      this.#columns.delete(name)
      this.#skipped.add(name)
    }
  }
}
