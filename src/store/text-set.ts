// Texts with a number each, in UTF-8, and their order by some collation.
import { type Breathe, inStretches, numbersBelow } from '../base/breathe.ts'
import { breathingSort } from '../base/breathing-sort.ts'
import { grown } from './search/byte-table.ts'

/** A way to put texts in order: that of the octets of what `fold` makes of them. */
export interface TextOrder {
  readonly name: string
  /** ASCII stays as long as it is, and several texts with lines' ends between them can be folded at once. */
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
    const { bytes, starts } = await foldTexts(this.texts, fold, breathe)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const compare = (a: number, b: number) => {
      let at = starts[a] as number
      let other = starts[b] as number
      const end = starts[a + 1] as number
      const otherEnd = starts[b + 1] as number
      const common = Math.min(end, at + otherEnd - other) - 1
      // Four octets at once: neighbours have many in common.
      for (; at + 4 <= common; at += 4, other += 4) {
        const order = view.getUint32(at) - view.getUint32(other)
        if (order !== 0) return order
      }
      for (; at < common; at++, other++)
        if (bytes[at] !== bytes[other]) return (bytes[at] as number) - (bytes[other] as number)
      return end - at - (otherEnd - other)
    }
    const order = await numbersBelow(count, breathe)
    await breathingSort(order, compare, breathe)
    const ranks = new Uint32Array(count)
    let rank = 0
    let last = order[0] as number
    await inStretches(count, breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const number = order[at] as number
        if (compare(number, last) !== 0) rank++
        last = number
        ranks[number] = rank
      }
    })
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
  /** Folds the texts from one number to another; false where they are no ASCII. */
  const write = (from: number, to: number): boolean => {
    const [start = 0, next = 0] = [starts[from], starts[to]]
    const unfolded = source.toString('utf8', start, next - 1)
    const text = fold(unfolded)
    if (end + 3 * text.length + 1 > folded.length)
      folded = grown(folded, Buffer.alloc(2 * (end + 3 * text.length + 1)))
    const length = folded.write(text, end)
    end += length
    folded[end++] = textEnd
    return length === text.length && unfolded.length === next - 1 - start
  }
  for (let from = 0; from < count; from += foldedTogether) {
    const to = Math.min(from + foldedTogether, count)
    const first = end
    // ASCII stays as long as it is.
    if (write(from, to)) {
      const shift = first - (starts[from] as number)
      for (let number = from; number < to; number++)
        foldedStarts[number + 1] = (starts[number + 1] as number) + shift
    } else {
      end = first
      for (let number = from; number < to; number++) {
        write(number, number + 1)
        foldedStarts[number + 1] = end
      }
    }
    const breath = breathe()
    if (breath !== undefined) await breath
  }
  return { bytes: folded, starts: foldedStarts }
}
