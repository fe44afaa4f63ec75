// Texts with a number each, in UTF-8, and their order by some collation.
import type { Breathe } from '../base/breathe.ts'
import { rankTexts } from './rank-texts.ts'
import { grown } from './search/byte-table.ts'

/** A way to put texts in order: that of the octets of what `fold` makes of them. */
export interface TextOrder {
  readonly name: string
  /** ASCII stays as long as it is and ASCII, and several texts with lines' ends between them can be folded at once. */
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

/** Texts that are folded at once. */
const foldedTogether = 256

export class TextSet {
  /** Undefined where hardly any text comes twice: then each gets a number of its own. */
  readonly #numbers: Map<string, number> | undefined
  #bytes = Buffer.alloc(4096)
  #starts = new Uint32Array(512)
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

  /** Adds texts of which none is empty, whether or not they are known; the number of the first one. */
  addAll({ bytes, starts }: Texts): number {
    const first = this.#count
    const count = starts.length - 1
    const end = this.#reserve(count, bytes.length)
    this.#bytes.set(bytes, end)
    for (let at = 1; at <= count; at++) this.#starts[first + at] = end + (starts[at] as number)
    this.#count += count
    return first
  }

  get count(): number {
    return this.#count
  }

  /** All of them, by number. Valid until one is added. */
  get texts(): Texts {
    const starts = this.#starts.subarray(0, this.#count + 1)
    return { bytes: this.#bytes.subarray(0, starts[this.#count]), starts }
  }

  /** About the bytes that it takes. */
  get weight(): number {
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
    const end = this.#reserve(1, 3 * text.length + 1)
    const after = end + this.#bytes.write(text, end)
    this.#bytes[after] = textEnd
    this.#count++
    this.#starts[this.#count] = after + 1
    return this.#count - 1
  }

  /** Makes room for more texts of so many bytes, with what stands behind each; where they go. */
  #reserve(count: number, length: number): number {
    if (this.#count + count >= this.#starts.length)
      this.#starts = grown(this.#starts, new Uint32Array(2 * (this.#count + count)))
    const end = this.#starts[this.#count] as number
    if (end + length > this.#bytes.length) this.#bytes = grown(this.#bytes, Buffer.alloc(2 * (end + length)))
    return end
  }
}

/** Each text folded. */
async function foldTexts(
  { bytes, starts }: Texts,
  fold: (text: string) => string,
  breathe: Breathe,
): Promise<Texts> {
  const count = starts.length - 1
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const foldedStarts = new Uint32Array(count + 1)
  let folded = Buffer.alloc(bytes.length + 1024)
  let end = 0
  /** Folds the texts from one number to another together; false where they are more texts then. */
  const write = (from: number, to: number): boolean => {
    const [start = 0, next = 0] = [starts[from], starts[to]]
    const first = end
    const text = source.toString('utf8', start, next - 1)
    const key = fold(text)
    if (end + 3 * key.length + 1 > folded.length)
      folded = grown(folded, Buffer.alloc(2 * (end + 3 * key.length + 1)))
    end += folded.write(key, end)
    folded[end++] = textEnd
    const isAscii = text.length === next - 1 - start
    if (!isAscii && to > from + 1) return findStarts(folded, first, end, foldedStarts, from, to)
    if (!isAscii) foldedStarts[to] = end
    else
      for (let number = from; number < to; number++)
        foldedStarts[number + 1] = (starts[number + 1] as number) - start + first
    return true
  }
  for (let from = 0; from < count; from += foldedTogether) {
    const to = Math.min(from + foldedTogether, count)
    const first = end
    if (!write(from, to)) {
      end = first
      for (let number = from; number < to; number++) {
        write(number, number + 1)
      }
    }
    const breath = breathe()
    if (breath !== undefined) await breath
  }
  return { bytes: folded, starts: foldedStarts }
}

/** Finds where the texts behind `number` begin, up to that of `last`, by what stands between them; false where there is more of that. */
function findStarts(
  bytes: Uint8Array,
  from: number,
  to: number,
  starts: Uint32Array,
  number: number,
  last: number,
): boolean {
  let found = number
  for (let at = from; at < to; at++) {
    if (bytes[at] !== textEnd) continue
    if (found === last) return false
    starts[++found] = at + 1
  }
  return found === last
}
