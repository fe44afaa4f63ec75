// Distinct strings of bytes, numbered in the order in which they came: a hash table in typed arrays, since a string for each word of each message would cost more
// than all else here.
import { randomFillSync, randomInt } from 'node:crypto'
import { limits } from '../../base/limits.ts'

/** The most bytes of a header field's value that is indexed. Message-IDs may be longer. */
export const longestBytes: number = 3 * limits.search.valueCharacters

// What a string's hash multiplies the halves of its two last numbers with, and the bytes before them. The upper 17 bits of such sums are as good as random
// whatever the bytes are (multilinear hashing), so nobody can send strings that meet in the table.
const [lowest = 0, low = 0, high = 0, highest = 0] = randomFillSync(new Int32Array(4))
const multipliers = randomFillSync(new Int32Array(longestBytes))
const perPart = randomInt(2 ** 30) * 2 + 1

/** Bytes of a string such as a Message-ID. */
const commonBytes = 40

/** Bytes at a string's end that tell most strings apart. */
const tailBytes = 8

export class ByteTable {
  /** The strings, one after another. */
  #bytes = new Uint8Array(4096)
  // By number: where it begins, with one more for where the next would, its hash, and its last eight bytes.
  #starts = new Uint32Array(512)
  #hashes = new Int32Array(512)
  #befores = new Int32Array(512)
  #lasts = new Int32Array(512)
  #count = 0
  /** Open addressing, by the upper bits of hashes: a number and one, or 0. At most half of it is taken. */
  #table = new Uint32Array(1024)

  /** With room for so many strings of a common length. */
  constructor(expected = 0) {
    if (expected <= this.#starts.length) return
    this.#bytes = new Uint8Array(commonBytes * expected)
    this.#growColumns(expected + 1)
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * expected)))
  }

  get count(): number {
    return this.#count
  }

  /** The strings, one after another. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#starts[this.#count])
  }

  /** Where in `bytes` each begins, and where the next would. */
  get starts(): Uint32Array {
    return this.#starts.subarray(0, this.#count + 1)
  }

  lengthOf(number: number): number {
    return (this.#starts[number + 1] as number) - (this.#starts[number] as number)
  }

  /** The number of a string, which is `count` when it is new: then it is kept. */
  numberOf(bytes: Uint8Array, start: number, end: number): number {
    if (end - start >= tailBytes)
      return this.numberOfTail(bytes, start, end, wordAt(bytes, end - 8), wordAt(bytes, end - 4))
    let last = 0
    let before = 0
    for (let at = start; at < end; at++) {
      before = (before << 8) | (last >>> 24)
      last = (last << 8) | (bytes[at] as number)
    }
    return this.numberOfTail(bytes, start, end, before, last)
  }

  /** The same for who has the last eight bytes as two numbers already. */
  numberOfTail(bytes: Uint8Array, start: number, end: number, before: number, last: number): number {
    const isLong = end - start > tailBytes
    const hash = (hashOfTail(before, last) + (isLong ? hashOf(bytes, start, end - tailBytes) : 0)) | 0
    const table = this.#table
    const mask = table.length - 1
    let place = placeOf(hash, table)
    for (let found = table[place] as number; found !== 0; found = table[place] as number) {
      const number = found - 1
      const isNear = this.#lasts[number] === last && this.#befores[number] === before
      if (isNear && this.lengthOf(number) === end - start)
        if (!isLong || this.#isAt(number, bytes, start, end - tailBytes)) return number
      place = (place + 1) & mask
    }
    table[place] = this.#count + 1
    const number = this.#add(bytes, start, end)
    this.#hashes[number] = hash
    this.#befores[number] = before
    this.#lasts[number] = last
    if (2 * this.#count > table.length) this.#growTable()
    return number
  }

  /** Whether a string begins so. */
  #isAt(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.#bytes
    let at = this.#starts[number] as number
    for (let from = start; from < end; from++, at++) if (own[at] !== bytes[from]) return false
    return true
  }

  #add(bytes: Uint8Array, start: number, end: number): number {
    const number = this.#count++
    if (this.#count >= this.#starts.length) this.#growColumns(2 * this.#count)
    let at = this.#starts[number] as number
    const after = at + end - start
    if (after > this.#bytes.length) this.#bytes = grown(this.#bytes, new Uint8Array(2 * after))
    for (let from = start; from < end; from++) this.#bytes[at++] = bytes[from] as number
    this.#starts[this.#count] = after
    return number
  }

  #growColumns(room: number): void {
    this.#starts = grown(this.#starts, new Uint32Array(room))
    this.#hashes = grown(this.#hashes, new Int32Array(room))
    this.#befores = grown(this.#befores, new Int32Array(room))
    this.#lasts = grown(this.#lasts, new Int32Array(room))
  }

  #growTable(): void {
    const table = new Uint32Array(2 * this.#table.length)
    const mask = table.length - 1
    for (let number = 0; number < this.#count; number++) {
      let place = placeOf(this.#hashes[number] as number, table)
      while (table[place] !== 0) place = (place + 1) & mask
      table[place] = number + 1
    }
    this.#table = table
  }
}

/** Four bytes as one number. */
function wordAt(bytes: Uint8Array, at: number): number {
  const upper = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16)
  return upper | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
}

function hashOfTail(before: number, last: number): number {
  const lower = (Math.imul(last & 0xffff, lowest) + Math.imul(last >>> 16, low)) | 0
  return (lower + Math.imul(before & 0xffff, high) + Math.imul(before >>> 16, highest)) | 0
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0
  for (let at = start; at < end; ) {
    // Of a string that is longer still each part counts by its place as well.
    hash = Math.imul(hash, perPart)
    const partEnd = Math.min(end, at + longestBytes)
    for (let factor = 0; at < partEnd; at++, factor++)
      hash = (hash + Math.imul(multipliers[factor] as number, bytes[at] as number)) | 0
  }
  return hash
}

function placeOf(hash: number, table: Uint32Array): number {
  return hash >>> (Math.clz32(table.length) + 1)
}

/** `larger` with what `old` holds in front. */
export function grown<Numbers extends Uint8Array | Uint16Array | Int32Array | Uint32Array>(
  old: Numbers,
  larger: Numbers,
): Numbers {
  larger.set(old)
  return larger
}
