// The values that one header field has in the messages of one chunk, decoded: each distinct one once.
import { ByteTable, longestBytes } from './byte-table.ts'

/** What a text under way is put into. */
const room = Buffer.alloc(longestBytes)

/** Collects the values of one field. Messages come in ascending order of their slots. */
export class HeaderColumnBuilder {
  readonly #texts = new ByteTable()
  /** Code units of each text. */
  readonly #lengths: number[] = []
  readonly #slots: number[] = []
  readonly #values: number[] = []

  /** A text of `limits.search.valueCharacters` at most. */
  add(text: string, slot: number): void {
    this.#slots.push(slot)
    this.#values.push(this.#numberOf(room, 0, room.write(text), text.length))
  }

  /** Adds what another chunk says, each of its slots moved by `shift`, but for those that `leavesOut`. */
  addAll(packed: Uint8Array, shift: number, leavesOut: (slot: number) => boolean): void {
    const { slots, values, lengths, texts } = readColumn(packed)
    const starts = byteStarts(texts, lengths)
    const numbers = new Int32Array(lengths.length).fill(-1)
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] as number
      if (leavesOut(slot)) continue
      const value = values[at] as number
      if (numbers[value] === -1) {
        const [start, next] = [starts[value] as number, starts[value + 1] as number]
        numbers[value] = this.#numberOf(texts, start, next - 1, lengths[value] as number)
      }
      this.#slots.push(slot + shift)
      this.#values.push(numbers[value] as number)
    }
  }

  #numberOf(bytes: Uint8Array, start: number, end: number, length: number): number {
    const number = this.#texts.numberOf(bytes, start, end)
    if (number === this.#lengths.length) this.#lengths.push(length)
    return number
  }

  /** Characters of all that is kept. */
  get length(): number {
    return this.#lengths.reduce((sum, length) => sum + length, 6 * this.#slots.length)
  }

  // Packed: counts of entries and of texts; each text's length in code units; each entry's slot and text; the texts in UTF-8 with a line's end between each two,
  // so that all are decoded and folded as one.
  pack(): Uint8Array {
    const { bytes, starts, count } = this.#texts
    const entryCount = this.#slots.length
    const numberBytes = 4 * (2 + count + 2 * entryCount)
    const packed = Buffer.alloc(numberBytes + bytes.length + Math.max(0, count - 1), '\n')
    const numbers = new Uint32Array(packed.buffer, packed.byteOffset, 2 + count + 2 * entryCount)
    numbers.set([entryCount, count])
    numbers.set(this.#lengths, 2)
    numbers.set(this.#slots, 2 + count)
    numbers.set(this.#values, 2 + count + entryCount)
    for (let number = 0; number < count; number++) {
      const start = starts[number] as number
      packed.set(bytes.subarray(start, starts[number + 1]), numberBytes + start + number)
    }
    return packed
  }
}

interface PackedColumn {
  readonly slots: Uint32Array
  /** The number of each entry's text. */
  readonly values: Uint32Array
  /** Code units of each text. */
  readonly lengths: Uint32Array
  readonly texts: Buffer
}

/** Throws RangeError on what `pack` cannot have made. */
function readColumn(packed: Uint8Array): PackedColumn {
  const { buffer, byteOffset, byteLength } = packed.byteOffset % 4 === 0 ? packed : Uint8Array.from(packed)
  const [entryCount = 0, textCount = 0] = new Uint32Array(buffer, byteOffset, 2)
  const numbers = new Uint32Array(buffer, byteOffset + 8, textCount + 2 * entryCount)
  const textStart = 8 + numbers.byteLength
  return {
    slots: numbers.subarray(textCount, textCount + entryCount),
    values: numbers.subarray(textCount + entryCount),
    lengths: numbers.subarray(0, textCount),
    texts: Buffer.from(buffer, byteOffset + textStart, byteLength - textStart),
  }
}

/** Where each text begins in UTF-8, and where the next would, behind a line's end. */
function byteStarts(texts: Buffer, lengths: Uint32Array): Uint32Array {
  const starts = new Uint32Array(lengths.length + 1)
  let at = 0
  for (let number = 0; number < lengths.length; number++) {
    for (let units = lengths[number] as number; units > 0; units--) {
      const byte = texts[at] as number
      at += byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
      // Four bytes are two units.
      if (byte >= 0xf0) units--
    }
    starts[number + 1] = ++at
  }
  return starts
}

/** The values of one field in one chunk. */
export class HeaderColumn {
  readonly #packed: PackedColumn
  /** All texts folded, one after another with something between; `#starts` says where each begins, and where the next would. */
  readonly #folded: string
  readonly #starts: Uint32Array

  /** `fold` is what it is searched with. Throws RangeError on what `pack` cannot have made. */
  constructor(packed: Uint8Array, fold: (text: string) => string) {
    this.#packed = readColumn(packed)
    const { lengths, texts } = this.#packed
    this.#starts = new Uint32Array(lengths.length + 1)
    // Folding is about characters that stand together, so all at once is as good as one by one.
    let folded = fold(texts.toString())
    if (!this.#findStarts(folded)) {
      const each = textsOf(this.#packed).map(fold)
      folded = each.join('\n')
      for (const [number, text] of each.entries())
        this.#starts[number + 1] = (this.#starts[number] as number) + text.length + 1
    }
    this.#folded = folded
  }

  get weight(): number {
    const { slots, lengths, texts } = this.#packed
    return 2 * this.#folded.length + texts.length + 8 * lengths.length + 8 * slots.length
  }

  each(take: (text: string, slot: number) => void): void {
    const { slots, values } = this.#packed
    const texts = textsOf(this.#packed)
    for (const [at, slot] of slots.entries()) take(texts[values[at] as number] as string, slot)
  }

  /** Sets `into` to 1 at each slot with a value that holds the folded text. */
  mark(needle: string, into: Uint8Array): void {
    const { slots, values } = this.#packed
    const found = this.#find(needle)
    for (let at = 0; at < slots.length; at++)
      if (found[values[at] as number] === 1) into[slots[at] as number] = 1
  }

  /** Gives each distinct text, folded, to `judge`, and what that says to `take` with each of its slots. */
  judge(judge: (folded: string) => number, take: (slot: number, judgement: number) => void): void {
    const { slots, values, lengths } = this.#packed
    const starts = this.#starts
    const judgements = Float64Array.from(lengths, (_length, number) =>
      judge(this.#folded.slice(starts[number], (starts[number + 1] as number) - 1)),
    )
    for (const [at, slot] of slots.entries()) take(slot, judgements[values[at] as number] as number)
  }

  /** Finds where each text begins by what is between them; false where some hold such themselves. */
  #findStarts(folded: string): boolean {
    const starts = this.#starts
    const last = starts.length - 1
    let number = 0
    for (let at = folded.indexOf('\n'); at >= 0; at = folded.indexOf('\n', at + 1)) {
      if (++number >= last) return false
      starts[number] = at + 1
    }
    starts[last] = last === 0 ? 0 : folded.length + 1
    return number === Math.max(last, 1) - 1
  }

  /** 1 for each text that holds it. */
  #find(needle: string): Uint8Array {
    const starts = this.#starts
    const found = new Uint8Array(starts.length - 1)
    if (needle === '') return found.fill(1)
    let number = 0
    for (let at = this.#folded.indexOf(needle); at >= 0; ) {
      number = numberAt(starts, at, number)
      const next = starts[number + 1] as number
      // What stands between two texts may be a part of what is looked for.
      if (at + needle.length < next) {
        found[number] = 1
        at = this.#folded.indexOf(needle, next)
      } else at = this.#folded.indexOf(needle, at + 1)
    }
    return found
  }
}

/** Each distinct text. */
function textsOf({ lengths, texts }: PackedColumn): string[] {
  const joined = texts.toString()
  const found: string[] = []
  let at = 0
  for (const length of lengths) {
    found.push(joined.slice(at, at + length))
    at += length + 1
  }
  return found
}

/** The number of the text in which a place lies; it is not before `from`. */
function numberAt(starts: Uint32Array, place: number, from: number): number {
  let low = from
  let high = starts.length - 2
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((starts[middle] as number) <= place) low = middle
    else high = middle - 1
  }
  return low
}
