// Which words stand in which messages of one chunk: a dictionary as one string, in which a part of a word is found by one search, and the messages of each word.
import { closeness } from '../../message/fuzzy-words.ts'
import type { TermPattern } from '../../message/terms.ts'

/** Stands around each word in the dictionary and in none. */
const separator = '\n'

/** Collects words. Quickest where messages come one after another. */
export class TermTableBuilder {
  readonly #numbers = new Map<string, number>()
  /** The last entry of each word. */
  #lasts = new Int32Array(1024)
  // Entries: a slot, and the word's entry before it.
  #slots = new Uint16Array(4096)
  #befores = new Int32Array(4096)
  #entryCount = 0
  #length = 0

  /** Characters of the dictionary. */
  get length(): number {
    return this.#length
  }

  add(term: string, slot: number): void {
    let number = this.#numbers.get(term)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(flat(term), number)
      this.#length += term.length + 1
      if (number >= this.#lasts.length) this.#lasts = grown(this.#lasts, new Int32Array(2 * number))
      this.#lasts[number] = -1
    }
    const last = this.#lasts[number] as number
    if (last >= 0 && this.#slots[last] === slot) return
    const entry = this.#entryCount++
    if (entry >= this.#slots.length) {
      this.#slots = grown(this.#slots, new Uint16Array(2 * entry))
      this.#befores = grown(this.#befores, new Int32Array(2 * entry))
    }
    this.#slots[entry] = slot
    this.#befores[entry] = last
    this.#lasts[number] = entry
  }

  /** Adds what another chunk says, each of its slots moved by `shift`, but for those that `leavesOut`. */
  addAll(
    dictionary: TermDictionary,
    postings: Postings,
    shift: number,
    leavesOut: (slot: number) => boolean,
  ): void {
    for (let number = 0; number < dictionary.count; number++) {
      const term = dictionary.termAt(number)
      postings.each(number, slot => {
        if (!leavesOut(slot)) this.add(term, slot + shift)
      })
    }
  }

  pack(): PackedTerms {
    const dictionary = separator + [...this.#numbers.keys(), ''].join(separator)
    const count = this.#numbers.size
    const offsets = new Uint32Array(count + 1)
    // No slot takes more than three bytes.
    const bytes = new Uint8Array(3 * this.#entryCount)
    let length = 0
    for (let number = 0; number < count; number++) {
      offsets[number] = length
      let previous = -1
      for (const slot of this.#slotsOf(number)) {
        length = writeVarint(slot - previous - 1, bytes, length)
        previous = slot
      }
    }
    offsets[count] = length
    return {
      dictionary: Buffer.from(dictionary),
      postings: Buffer.concat([Buffer.from(offsets.buffer), bytes.subarray(0, length)]),
    }
  }

  /** Ascending, each once. */
  #slotsOf(number: number): readonly number[] {
    const slots: number[] = []
    for (let entry = this.#lasts[number] as number; entry >= 0; entry = this.#befores[entry] as number)
      slots.push(this.#slots[entry] as number)
    slots.reverse()
    const isSorted = slots.every((slot, at) => at === 0 || (slots[at - 1] as number) < slot)
    return isSorted ? slots : [...new Set(slots)].sort((a, b) => a - b)
  }
}

function grown<Numbers extends Uint16Array | Int32Array>(old: Numbers, larger: Numbers): Numbers {
  larger.set(old)
  return larger
}

export interface PackedTerms {
  readonly dictionary: Uint8Array
  readonly postings: Uint8Array
}

/** A short slice of a long text would keep all of it. */
function flat(term: string): string {
  return term.length < 13 ? term : Buffer.from(term, 'utf16le').toString('utf16le')
}

/** Where the next one goes. */
function writeVarint(value: number, out: Uint8Array, at: number): number {
  let left = value
  let end = at
  while (left > 127) {
    out[end++] = (left & 127) | 128
    left >>>= 7
  }
  out[end++] = left
  return end
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
