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

  // Packed: counts of entries, of texts and of those that are all ASCII, which come first; each text's length in code units; each entry's slot and text; the texts
  // in UTF-8 with a line's end between each two, so that many are decoded and folded as one.
  pack(): Uint8Array {
    const { bytes, starts, count } = this.#texts
    const ascii: number[] = []
    const others: number[] = []
    for (let number = 0; number < count; number++)
      (this.#lengths[number] === this.#texts.lengthOf(number) ? ascii : others).push(number)
    const order = [...ascii, ...others]
    const placeOf = new Uint32Array(count)
    for (const [place, number] of order.entries()) placeOf[number] = place
    const entryCount = this.#slots.length
    const head = new Uint32Array(3 + count + 2 * entryCount)
    head.set([entryCount, count, ascii.length])
    for (const [place, number] of order.entries()) head[3 + place] = this.#lengths[number] as number
    head.set(this.#slots, 3 + count)
    for (const [at, value] of this.#values.entries())
      head[3 + count + entryCount + at] = placeOf[value] as number
    const packed = Buffer.alloc(head.byteLength + bytes.length + Math.max(0, count - 1), '\n')
    packed.set(new Uint8Array(head.buffer))
    let at = head.byteLength
    for (const number of order) {
      const text = bytes.subarray(starts[number], starts[number + 1])
      packed.set(text, at)
      at += text.length + 1
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
  /** So many of the first texts are all ASCII. */
  readonly asciiCount: number
  readonly texts: Buffer
}

/** Throws RangeError on what `pack` cannot have made. */
function readColumn(packed: Uint8Array): PackedColumn {
  const { buffer, byteOffset, byteLength } = packed.byteOffset % 4 === 0 ? packed : Uint8Array.from(packed)
  const [entryCount = 0, textCount = 0, asciiCount = 0] = new Uint32Array(buffer, byteOffset, 3)
  if (asciiCount > textCount) throw new RangeError('more texts in ASCII than there are')
  const numbers = new Uint32Array(buffer, byteOffset + 12, textCount + 2 * entryCount)
  const textStart = 12 + numbers.byteLength
  return {
    slots: numbers.subarray(textCount, textCount + entryCount),
    values: numbers.subarray(textCount + entryCount),
    lengths: numbers.subarray(0, textCount),
    asciiCount,
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
  /** Those that are all ASCII by themselves: one other character would make all of a string take twice the memory, and be searched half as fast. */
  readonly #ascii: FoldedTexts
  readonly #others: FoldedTexts

  /** `fold` is what it is searched with. Throws RangeError on what `pack` cannot have made. */
  constructor(packed: Uint8Array, fold: (text: string) => string) {
    this.#packed = readColumn(packed)
    const { lengths, asciiCount, texts } = this.#packed
    // Each with a line's end behind it.
    let asciiBytes = asciiCount
    for (let number = 0; number < asciiCount; number++) asciiBytes += lengths[number] as number
    const ascii = texts.toString('latin1', 0, Math.max(0, asciiBytes - 1))
    this.#ascii = new FoldedTexts(ascii, lengths.subarray(0, asciiCount), fold)
    this.#others = new FoldedTexts(texts.toString('utf8', asciiBytes), lengths.subarray(asciiCount), fold)
  }

  get weight(): number {
    const { slots, lengths, texts } = this.#packed
    return this.#ascii.length + 2 * this.#others.length + texts.length + 8 * lengths.length + 8 * slots.length
  }

  each(take: (text: string, slot: number) => void): void {
    const { slots, values, lengths, texts } = this.#packed
    const all = textsIn(texts.toString(), lengths)
    for (const [at, slot] of slots.entries()) take(all[values[at] as number] as string, slot)
  }

  /** Sets `into` to `mark` at each slot with a value that holds the folded text. */
  mark(needle: string, into: Uint8Array, mark: number): void {
    const { slots, values, lengths, asciiCount } = this.#packed
    const found = new Uint8Array(lengths.length)
    this.#ascii.find(needle, found.subarray(0, asciiCount))
    this.#others.find(needle, found.subarray(asciiCount))
    for (let at = 0; at < slots.length; at++)
      if (found[values[at] as number] === 1) into[slots[at] as number] = mark
  }

  /** Gives each distinct text, folded, to `judge`, and what that says to `take` with each of its slots. */
  judge(judge: (folded: string) => number, take: (slot: number, judgement: number) => void): void {
    const { slots, values } = this.#packed
    const judgements = [...this.#ascii.each(), ...this.#others.each()].map(judge)
    for (const [at, slot] of slots.entries()) take(slot, judgements[values[at] as number] as number)
  }
}

/** Texts folded into one string. */
class FoldedTexts {
  /** One after another with something between; `#starts` says where each begins, and where the next would. */
  readonly #folded: string
  readonly #starts: Uint32Array

  /** Of texts with a line's end between each two. */
  constructor(joined: string, lengths: Uint32Array, fold: (text: string) => string) {
    this.#starts = new Uint32Array(lengths.length + 1)
    // Folding is about characters that stand together, so all at once is as good as one by one.
    let folded = fold(joined)
    if (!this.#findStarts(folded)) {
      const each = textsIn(joined, lengths).map(fold)
      folded = each.join('\n')
      for (const [number, text] of each.entries())
        this.#starts[number + 1] = (this.#starts[number] as number) + text.length + 1
    }
    this.#folded = folded
  }

  get length(): number {
    return this.#folded.length
  }

  *each(): Generator<string> {
    const starts = this.#starts
    for (let number = 0; number + 1 < starts.length; number++)
      yield this.#folded.slice(starts[number], (starts[number + 1] as number) - 1)
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

  /** Sets `found` to 1 for each text that holds it. */
  find(needle: string, found: Uint8Array): void {
    const starts = this.#starts
    if (needle === '') {
      found.fill(1)
      return
    }
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
  }
}

/** The texts that stand in a string with a line's end between each two. */
function textsIn(joined: string, lengths: Uint32Array): string[] {
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
