// Collects which words stand in which messages of a chunk, for `TermDictionary` and `Postings` to read.
import { foldCase, isAscii } from '../../message/case-map.ts'
import {
  eachTermPlace,
  otherLetter,
  termLength,
  termUnits,
  unspacedLetter,
  writeUnits,
} from '../../message/terms.ts'
import { ByteTable, grown } from './byte-table.ts'
import { type PackedTerms, Postings, separatorByte } from './term-table.ts'

// What a text under way is put into, unless it is long.
const byteRoom = Buffer.alloc(64 * 1024)
const unitRoom = new Uint16Array(64 * 1024)
/** For a word that is not ASCII. */
const wordRoom = Buffer.alloc(3 * termLength)

const notAscii = /[^\0-\x7f]/

/** Quickest where messages come one after another. */
export class TermTableBuilder {
  readonly #words = new ByteTable()
  /** Words of the table for which there is room below. */
  #begun = 0
  #characters = 0
  // By the number of a word: its last slot, how many entries it has.
  #lasts = new Int32Array(512)
  #counts = new Uint32Array(512)
  // Entries in the order in which they came: a slot, and the word's number.
  #slots = new Uint16Array(4096)
  #numbers = new Uint32Array(4096)
  #entryCount = 0

  /** Characters of the dictionary. */
  get length(): number {
    return this.#characters
  }

  /** Adds the words of a text, which is folded here, as far as the dictionary stays shorter than `most`. */
  addText(text: string, slot: number, most = Infinity): void {
    // ASCII is folded with the rest of the work. Lines are folded each for itself.
    const plainEnd = isAscii(text) ? text.length : text.lastIndexOf('\n', text.search(notAscii)) + 1
    if (plainEnd > 0) this.#addFolded(text.slice(0, plainEnd), slot, most)
    if (plainEnd < text.length) this.#addFolded(foldCase(text.slice(plainEnd)), slot, most)
  }

  #addFolded(text: string, slot: number, most: number): void {
    const isLong = text.length >= unitRoom.length
    const units = isLong ? new Uint16Array(text.length + 1) : unitRoom
    const bytes = isLong ? Buffer.alloc(text.length) : byteRoom
    writeUnits(text, units)
    // What follows ends the last word.
    units[text.length] = 0
    // A word may be long and become many.
    const addBytes = (start: number, end: number) => {
      if (this.length < most) this.#addTerm(bytes, start, end, slot)
    }
    const addUnits = (start: number, end: number) => {
      if (this.length < most) this.#addTerm(wordRoom, 0, encodeUtf8(units, start, end, wordRoom), slot)
    }
    for (let at = 0; at < text.length && this.length < most; at++) {
      const start = at
      let kinds = 0
      // The last eight bytes, for `ByteTable`.
      let before = 0
      let last = 0
      for (let unit = termUnits[units[at] as number]; unit; unit = termUnits[units[at] as number]) {
        kinds |= unit
        before = (before << 8) | (last >>> 24)
        last = (last << 8) | unit
        bytes[at++] = unit
      }
      if (at === start) continue
      const isShort = at - start <= termLength
      if (kinds < otherLetter && isShort)
        this.#addEntry(this.#numberOfTail(bytes, start, at, before, last), slot)
      else if (kinds < otherLetter) eachTermPlace(units, start, at, addBytes)
      else if (kinds < unspacedLetter && isShort) addUnits(start, at)
      else eachTermPlace(units, start, at, addUnits)
    }
  }

  /** Adds what another chunk says, each of its slots moved by `shift`, but for those that `leavesOut`. */
  addAll({ dictionary, postings }: PackedTerms, shift: number, leavesOut: (slot: number) => boolean): void {
    const places = new Postings(postings, countTerms(dictionary))
    let start = 1
    let end = 1
    let own = -1
    const add = (slot: number) => {
      if (leavesOut(slot)) return
      if (own < 0) own = this.#numberOf(dictionary, start, end)
      this.#addEntry(own, slot + shift)
    }
    for (let number = 0; end < dictionary.length; number++, start = ++end) {
      while (dictionary[end] !== separatorByte) end++
      own = -1
      places.each(number, add)
    }
  }

  pack(): PackedTerms {
    const { count } = this.#words
    // Entries word by word; a word's stay in their order.
    const ends = new Uint32Array(count)
    for (let number = 1; number < count; number++)
      ends[number] = (ends[number - 1] as number) + (this.#counts[number - 1] as number)
    const slots = new Uint16Array(this.#entryCount)
    for (let entry = 0; entry < this.#entryCount; entry++)
      slots[(ends[this.#numbers[entry] as number] as number)++] = this.#slots[entry] as number
    // No slot takes more than three bytes.
    const postings = Buffer.alloc(4 * (count + 1) + 3 * this.#entryCount)
    const offsets = new Uint32Array(postings.buffer, postings.byteOffset, count + 1)
    const bytes = postings.subarray(offsets.byteLength)
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
      dictionary: this.#packWords(),
      postings: postings.subarray(0, offsets.byteLength + length),
    }
  }

  #addTerm(bytes: Uint8Array, start: number, end: number, slot: number): void {
    this.#addEntry(this.#numberOf(bytes, start, end), slot)
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

  #numberOf(bytes: Uint8Array, start: number, end: number): number {
    const number = this.#words.numberOf(bytes, start, end)
    if (number === this.#begun) this.#begin(bytes, start, end)
    return number
  }

  #numberOfTail(bytes: Uint8Array, start: number, end: number, before: number, last: number): number {
    const number = this.#words.numberOfTail(bytes, start, end, before, last)
    if (number === this.#begun) this.#begin(bytes, start, end)
    return number
  }

  /** The word is new. */
  #begin(bytes: Uint8Array, start: number, end: number): void {
    const number = this.#begun++
    if (number >= this.#lasts.length) {
      this.#lasts = grown(this.#lasts, new Int32Array(2 * number))
      this.#counts = grown(this.#counts, new Uint32Array(2 * number))
    }
    this.#lasts[number] = -1
    this.#characters++
    for (let at = start; at < end; at++) if (((bytes[at] as number) & 0xc0) !== 0x80) this.#characters++
  }

  #packWords(): Uint8Array {
    const { bytes, count } = this.#words
    const packed = Buffer.alloc(bytes.length + count + 1, separatorByte)
    let from = 0
    for (let number = 0; number < count; number++) {
      const end = from + this.#words.lengthOf(number)
      for (let at = from + number + 1; from < end; from++, at++) packed[at] = bytes[from] as number
    }
    return packed
  }
}

function countTerms(dictionary: Uint8Array): number {
  let count = -1
  for (const byte of dictionary) if (byte === separatorByte) count++
  return count
}

/** Writes UTF-16 code units as UTF-8; half a character as U+FFFD. The bytes written. */
function encodeUtf8(units: Uint16Array, start: number, end: number, out: Buffer): number {
  let length = 0
  for (let at = start; at < end; at++) {
    let code = units[at] as number
    if (code < 0x80) out[length++] = code
    else if (code < 0x800) {
      out[length++] = 0xc0 | (code >> 6)
      out[length++] = 0x80 | (code & 63)
    } else {
      if ((code & 0xf800) === 0xd800) {
        const next = at + 1 < end ? (units[at + 1] as number) : 0
        const isPair = code < 0xdc00 && (next & 0xfc00) === 0xdc00
        code = isPair ? 0x10000 + ((code & 0x3ff) << 10) + (next & 0x3ff) : 0xfffd
      }
      if (code < 0x10000) out[length++] = 0xe0 | (code >> 12)
      else {
        at++
        out[length++] = 0xf0 | (code >> 18)
        out[length++] = 0x80 | ((code >> 12) & 63)
      }
      out[length++] = 0x80 | ((code >> 6) & 63)
      out[length++] = 0x80 | (code & 63)
    }
  }
  return length
}

function sortIfNeeded(slots: Uint16Array, start: number, end: number): void {
  for (let at = start + 1; at < end; at++) {
    if ((slots[at - 1] as number) <= (slots[at] as number)) continue
    slots.subarray(start, end).sort()
    return
  }
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
