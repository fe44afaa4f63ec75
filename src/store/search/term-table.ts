// Which words stand in which messages of one chunk: a dictionary as one string, in which a part of a word is found by one search, and the messages of each word.
import { closeness } from '../../message/fuzzy-words.ts'
import type { TermPattern } from '../../message/terms.ts'

/** Stands around each word in the dictionary and in none. */
const separator = '\n'
export const separatorByte = 10

/** As `TermTableBuilder` makes them: the words in UTF-8, a separator before and behind each; where the slots of each begin, then the slots, each as what it exceeds the one before by. */
export interface PackedTerms {
  readonly dictionary: Uint8Array
  readonly postings: Uint8Array
}

/** The words of one chunk. */
export class TermDictionary {
  readonly #text: string
  /** Where each word begins. */
  readonly #starts: Uint32Array

  constructor(packed: Uint8Array) {
    this.#text = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength).toString()
    const starts: number[] = []
    for (let at = 0; at + 1 < this.#text.length; ) {
      starts.push(at + 1)
      const next = this.#text.indexOf(separator, at + 1)
      if (next < 0) break
      at = next
    }
    this.#starts = Uint32Array.from(starts)
  }

  /** About the bytes that it takes. */
  get weight(): number {
    return this.#text.length + this.#starts.byteLength
  }

  get count(): number {
    return this.#starts.length
  }

  termAt(number: number): string {
    const end = this.#starts[number + 1]
    return this.#text.slice(this.#starts[number], end === undefined ? -1 : end - 1)
  }

  /** The numbers of the words that fit. */
  find({ text, isStart, isEnd }: TermPattern): number[] {
    const wanted = (isStart ? separator : '') + text + (isEnd ? separator : '')
    const found: number[] = []
    for (let at = this.#text.indexOf(wanted); at >= 0; ) {
      const number = this.#numberAt(isStart ? at + 1 : at)
      found.push(number)
      const next = this.#starts[number + 1]
      if (next === undefined) break
      at = this.#text.indexOf(wanted, next - 1)
    }
    return found
  }

  /** Gives each word that is near another to `take`, with how near it is. */
  near(word: string, take: (number: number, near: number) => void): void {
    for (let number = 0; number < this.count; number++) {
      const near = closeness(word, this.termAt(number))
      if (near > 0) take(number, near)
    }
  }

  /** The number of the word around a place. */
  #numberAt(place: number): number {
    const starts = this.#starts
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((starts[middle] as number) <= place) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** The messages of each word. */
export class Postings {
  readonly #offsets: Uint32Array
  readonly #bytes: Uint8Array

  /** `count` words. Throws RangeError where that cannot be. */
  constructor(packed: Uint8Array, count: number) {
    const { buffer, byteOffset } = byteOffsetIsAligned(packed) ? packed : Uint8Array.from(packed)
    this.#offsets = new Uint32Array(buffer, byteOffset, count + 1)
    this.#bytes = new Uint8Array(buffer, byteOffset + 4 * (count + 1), packed.byteLength - 4 * (count + 1))
  }

  get weight(): number {
    return this.#offsets.byteLength + this.#bytes.byteLength
  }

  /** Gives each slot of the word to `take`. */
  each(number: number, take: (slot: number) => void): void {
    const bytes = this.#bytes
    const end = this.#offsets[number + 1] as number
    let slot = -1
    for (let at = this.#offsets[number] as number; at < end; ) {
      let value = 0
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++] as number
        value |= (byte & 127) << shift
        if (byte < 128) break
      }
      slot += value + 1
      take(slot)
    }
  }
}

function byteOffsetIsAligned(bytes: Uint8Array): boolean {
  return bytes.byteOffset % 4 === 0
}
