// Texts with a number each, in UTF-8, and their order by some collation.
import { type Breathe, inStretches } from '../base/breathe.ts'
import { rankTexts } from './rank-texts.ts'
import { grown } from './search/byte-table.ts'

/** A way to put texts in order: that of the octets of what `fold` makes of them. */
export interface TextOrder {
  readonly name: string
  /** Of a text that is all ASCII it makes one character of ASCII of each, whatever stands beside it. */
  readonly fold: (text: string) => string
}

/** Strings of bytes, one after another with a line's end behind each. */
export interface Texts {
  readonly bytes: Uint8Array
  /** Where each begins, and where the next would. */
  readonly starts: Uint32Array
}

/** What stands behind each text. */
export const textEnd = 0x0a

/** So much is copied in a few milliseconds. */
const mostAddedBytes = 4 * 1024 * 1024

export class TextSet {
  /** Undefined where hardly any text comes twice: then each gets a number of its own. */
  readonly #numbers: Map<string, number> | undefined
  #bytes = Buffer.alloc(4096)
  #starts = new Uint32Array(512)
  /** How many are in there. */
  #laid = 0
  /** What comes behind them, until it is much or somebody asks: copied once, however many there are. */
  #added: Texts[] = []
  #addedBytes = 0
  #count = 0
  #ranks: { readonly order: string; readonly numbers: Uint32Array } | undefined

  constructor(findsEqual = true) {
    this.#numbers = findsEqual ? new Map() : undefined
    this.#append('')
  }

  /** The text's number; 0 for the empty one. */
  add(text: string): number {
    if (text === '') return 0
    const known = this.#numbers?.get(text)
    if (known !== undefined) return known
    const number = this.#append(text)
    this.#numbers?.set(text, number)
    return number
  }

  /** Adds texts of which none is empty, whether or not they are known; the number of the first one. They must not change any more. */
  addAll(texts: Texts): number {
    const first = this.#count
    this.#added.push(texts)
    this.#addedBytes += texts.bytes.length
    this.#count += texts.starts.length - 1
    if (this.#addedBytes > mostAddedBytes) this.#layAdded(2)
    return first
  }

  /** All of them, by number. What is added later is not among them, and changes none. */
  get texts(): Texts {
    this.#layAdded()
    const starts = this.#starts.subarray(0, this.#count + 1)
    return { bytes: this.#bytes.subarray(0, starts[this.#count]), starts }
  }

  /** About the bytes that it takes. */
  get weight(): number {
    this.#layAdded()
    return this.#bytes.length + 4 * this.#starts.length + 80 * (this.#numbers?.size ?? 0)
  }

  /** The rank of each text, by its number: equal for texts that are equal when folded, 0 for the empty one. */
  async ranks({ name, fold }: TextOrder, breathe: Breathe): Promise<Uint32Array> {
    const count = this.#count
    if (this.#ranks?.order === name && this.#ranks.numbers.length === count) return this.#ranks.numbers
    const ranks = await rankTexts(await foldTexts(this.texts, fold, breathe), breathe)
    this.#ranks = { order: name, numbers: ranks }
    return ranks
  }

  #append(text: string): number {
    this.#layAdded()
    const end = this.#reserve(1, 3 * text.length + 1, 2)
    const after = end + this.#bytes.write(text, end)
    this.#bytes[after] = textEnd
    this.#laid = ++this.#count
    this.#starts[this.#count] = after + 1
    return this.#count - 1
  }

  /** Lays what was added behind the others; `growth` is for who knows that more is to come. */
  #layAdded(growth = 1.125): void {
    if (this.#added.length === 0) return
    const added = this.#added
    let end = this.#reserve(this.#count - this.#laid, this.#addedBytes, growth)
    this.#added = []
    this.#addedBytes = 0
    for (const { bytes, starts } of added) {
      this.#bytes.set(bytes, end)
      for (let at = 1; at < starts.length; at++) this.#starts[++this.#laid] = end + (starts[at] as number)
      end += bytes.length
    }
  }

  /** Makes room behind those that are laid for more texts of so many bytes, with what stands behind each; where they go. Where it takes more memory, for so many times as much. */
  #reserve(count: number, length: number, growth: number): number {
    if (this.#laid + count >= this.#starts.length)
      this.#starts = grown(this.#starts, new Uint32Array(Math.ceil(growth * (this.#laid + count + 1))))
    const end = this.#starts[this.#laid] as number
    if (end + length > this.#bytes.length)
      this.#bytes = grown(this.#bytes, Buffer.alloc(Math.ceil(growth * (end + length))))
    return end
  }
}

/** Each text folded. */
async function foldTexts(texts: Texts, fold: (text: string) => string, breathe: Breathe): Promise<Texts> {
  const folding = new Folding(texts, fold)
  await inStretches(texts.starts.length - 1, breathe, (from, to) => folding.add(from, to))
  return folding.folded
}

class Folding {
  readonly #source: Buffer
  readonly #starts: Uint32Array
  readonly #fold: (text: string) => string
  /** What becomes of each character of ASCII. */
  readonly #ascii: Uint8Array
  #bytes: Buffer
  readonly #foldedStarts: Uint32Array

  constructor({ bytes, starts }: Texts, fold: (text: string) => string) {
    this.#source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#starts = starts
    this.#fold = fold
    this.#ascii = Uint8Array.from({ length: 128 }, (_unused, code) =>
      fold(String.fromCharCode(code)).charCodeAt(0),
    )
    // A little more: folding makes few texts longer.
    this.#bytes = Buffer.alloc(bytes.length + Math.ceil(bytes.length / 8) + 4096)
    this.#foldedStarts = new Uint32Array(starts.length)
  }

  get folded(): Texts {
    return { bytes: this.#bytes, starts: this.#foldedStarts }
  }

  /** Folds the next texts, those from one number to another. */
  add(first: number, last: number): void {
    const source = this.#source
    const starts = this.#starts
    const foldedStarts = this.#foldedStarts
    const ascii = this.#ascii
    let bytes = this.#reserve(
      foldedStarts[first] as number,
      (starts[last] as number) - (starts[first] as number),
    )
    let to = foldedStarts[first] as number
    for (let number = first; number < last; number++) {
      const start = starts[number] as number
      const end = (starts[number + 1] as number) - 1
      let from = start
      for (; from < end; from++) {
        const byte = source[from] as number
        if (byte >= 0x80) break
        bytes[to++] = ascii[byte] as number
      }
      if (from < end) {
        to -= from - start
        const key = this.#fold(source.toString('utf8', start, end))
        bytes = this.#reserve(to, 3 * key.length + 1 + (starts[last] as number) - end)
        to += bytes.write(key, to)
      }
      bytes[to++] = textEnd
      foldedStarts[number + 1] = to
    }
  }

  /** Makes room for so many bytes from a place on. */
  #reserve(place: number, length: number): Buffer {
    if (place + length > this.#bytes.length)
      this.#bytes = grown(this.#bytes, Buffer.alloc(2 * (place + length)))
    return this.#bytes
  }
}
