// Which words stand in which messages of one chunk: a dictionary as one string, in which a part of a word is found by one search, and the messages of each word.
import { closeness } from '../../message/fuzzy-words.ts'
import { eachTermPlace, type TermPattern, termLength, unitsOf } from '../../message/terms.ts'

/** Stands around each word in the dictionary and in none. */
const separator = '\n'
const separatorUnit = 10

/** For the code units of the text under way, unless it is long. */
const room = new Uint16Array(64 * 1024)

/**
 * Collects words. Quickest where messages come one after another.
 *
 * A hash table in typed arrays: a string for each word of each message would cost more than all else here.
 */
export class TermTableBuilder {
  /** The dictionary: code units of the words, a separator before and behind each. */
  #units = new Uint16Array(4096).fill(separatorUnit, 0, 1)
  #length = 1
  // By the number of a word: where it begins, its hash, its last slot, its entries.
  #starts = new Uint32Array(1024)
  #hashes = new Uint32Array(1024)
  #lasts = new Int32Array(1024)
  #counts = new Uint32Array(1024)
  #count = 0
  /** Open addressing: a word's number and one, or 0. At most half of it is taken. */
  #table = new Uint32Array(2048)
  // Entries in the order in which they came: a slot, and the word's number.
  #slots = new Uint16Array(4096)
  #numbers = new Uint32Array(4096)
  #entryCount = 0

  /** Characters of the dictionary. */
  get length(): number {
    return this.#length - 1
  }

  /** Adds the words of a folded text, as far as the dictionary stays shorter than `most`. */
  addText(folded: string, slot: number, most = Infinity): void {
    const units = unitsOf(folded, room)
    eachTermPlace(units, (start, end) => {
      if (this.length < most) this.#addEntry(this.#numberOf(units, start, end), slot)
    })
  }

  /** Adds what another chunk says, each of its slots moved by `shift`, but for those that `leavesOut`. */
  addAll(
    dictionary: TermDictionary,
    postings: Postings,
    shift: number,
    leavesOut: (slot: number) => boolean,
  ): void {
    dictionary.each((units, start, end, number) => {
      let own = -1
      postings.each(number, slot => {
        if (leavesOut(slot)) return
        if (own < 0) own = this.#numberOf(units, start, end)
        this.#addEntry(own, slot + shift)
      })
    })
  }

  pack(): PackedTerms {
    const dictionary = Buffer.from(this.#units.buffer, 0, 2 * this.#length).toString('utf16le')
    const count = this.#count
    // Entries word by word; a word's stay in their order.
    const ends = new Uint32Array(count)
    for (let number = 1; number < count; number++)
      ends[number] = (ends[number - 1] as number) + (this.#counts[number - 1] as number)
    const slots = new Uint16Array(this.#entryCount)
    for (let entry = 0; entry < this.#entryCount; entry++)
      slots[(ends[this.#numbers[entry] as number] as number)++] = this.#slots[entry] as number
    const offsets = new Uint32Array(count + 1)
    // No slot takes more than three bytes.
    const bytes = new Uint8Array(3 * this.#entryCount)
    let length = 0
    for (let number = 0, entry = 0; number < count; number++) {
      offsets[number] = length
      const end = ends[number] as number
      sortIfNeeded(slots, entry, end)
      for (let previous = -1; entry < end; entry++) {
        const slot = slots[entry] as number
        if (slot === previous) continue
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

  #addEntry(number: number, slot: number): void {
    if (this.#lasts[number] === slot) return
    this.#lasts[number] = slot
    this.#counts[number] = (this.#counts[number] as number) + 1
    const entry = this.#entryCount++
    if (entry >= this.#slots.length) {
      this.#slots = grown(this.#slots, new Uint16Array(2 * entry))
      this.#numbers = grown(this.#numbers, new Uint32Array(2 * entry))
    }
    this.#slots[entry] = slot
    this.#numbers[entry] = number
  }

  /** The number of the word, which may be new. */
  #numberOf(units: Uint16Array, start: number, end: number): number {
    const hash = hashOf(units, start, end)
    const mask = this.#table.length - 1
    let place = hash & mask
    for (let found = this.#table[place] as number; found !== 0; found = this.#table[place] as number) {
      if (this.#hashes[found - 1] === hash && this.#isAt(found - 1, units, start, end)) return found - 1
      place = (place + 1) & mask
    }
    this.#table[place] = this.#count + 1
    return this.#addTerm(units, start, end, hash)
  }

  #isAt(number: number, units: Uint16Array, start: number, end: number): boolean {
    const own = this.#units
    let at = this.#starts[number] as number
    for (let from = start; from < end; from++, at++) if (own[at] !== units[from]) return false
    return own[at] === separatorUnit
  }

  #addTerm(units: Uint16Array, start: number, end: number, hash: number): number {
    const number = this.#count++
    if (number >= this.#starts.length) {
      this.#starts = grown(this.#starts, new Uint32Array(2 * number))
      this.#hashes = grown(this.#hashes, new Uint32Array(2 * number))
      this.#lasts = grown(this.#lasts, new Int32Array(2 * number))
      this.#counts = grown(this.#counts, new Uint32Array(2 * number))
    }
    const length = this.#length + end - start + 1
    if (length > this.#units.length) this.#units = grown(this.#units, new Uint16Array(2 * length))
    this.#starts[number] = this.#length
    this.#hashes[number] = hash
    this.#lasts[number] = -1
    for (let from = start; from < end; from++) this.#units[this.#length++] = units[from] as number
    this.#units[this.#length++] = separatorUnit
    if (2 * this.#count > this.#table.length) this.#growTable()
    return number
  }

  #growTable(): void {
    const table = new Uint32Array(2 * this.#table.length)
    const mask = table.length - 1
    for (let number = 0; number < this.#count; number++) {
      let place = (this.#hashes[number] as number) & mask
      while (table[place] !== 0) place = (place + 1) & mask
      table[place] = number + 1
    }
    this.#table = table
  }
}

/**
 * What a word's hash multiplies its code units with. Upper halves of such sums are as good as random whatever the words are (multilinear hashing), so
 * nobody can send words that meet in the table.
 */
const multipliers = crypto.getRandomValues(new Uint32Array(2 * termLength))

/** The word has `termLength` code units at most. */
function hashOf(units: Uint16Array, start: number, end: number): number {
  let low = 0
  let high = 0
  for (let at = start, factor = 0; at < end; at++, factor += 2) {
    const unit = units[at] as number
    low = (low + Math.imul(multipliers[factor] as number, unit)) | 0
    high = (high + Math.imul(multipliers[factor + 1] as number, unit)) | 0
  }
  return ((low >>> 16) | (high & 0xffff0000)) >>> 0
}

function sortIfNeeded(slots: Uint16Array, start: number, end: number): void {
  for (let at = start + 1; at < end; at++) {
    if ((slots[at - 1] as number) <= (slots[at] as number)) continue
    slots.subarray(start, end).sort()
    return
  }
}

function grown<Numbers extends Uint16Array | Int32Array | Uint32Array>(
  old: Numbers,
  larger: Numbers,
): Numbers {
  larger.set(old)
  return larger
}

export interface PackedTerms {
  readonly dictionary: Uint8Array
  readonly postings: Uint8Array
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

  /** Gives each word to `take`, as its place in code units and by its number. */
  each(take: (units: Uint16Array, start: number, end: number, number: number) => void): void {
    const units = unitsOf(this.#text)
    for (let number = 0; number < this.count; number++) {
      const next = this.#starts[number + 1] ?? this.#text.length
      take(units, this.#starts[number] as number, next - 1, number)
    }
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
