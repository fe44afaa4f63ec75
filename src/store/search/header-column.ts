// The values that one header field has in the messages of one chunk, decoded: each distinct one once.

interface Packable {
  readonly slots: readonly number[]
  readonly values: readonly number[]
  readonly texts: readonly string[]
}

/** Collects the values of one field. Messages come in ascending order of their slots. */
export class HeaderColumnBuilder {
  readonly #numbers = new Map<string, number>()
  readonly #slots: number[] = []
  readonly #values: number[] = []
  #length = 0

  add(text: string, slot: number): void {
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(text, number)
      this.#length += text.length
    }
    this.#slots.push(slot)
    this.#values.push(number)
  }

  /** Characters of all that is kept. */
  get length(): number {
    return this.#length + 6 * this.#slots.length
  }

  each(take: (text: string, slot: number) => void): void {
    const texts = [...this.#numbers.keys()]
    for (const [at, slot] of this.#slots.entries()) take(texts[this.#values[at] as number] as string, slot)
  }

  pack(): Uint8Array {
    return packColumn({ slots: this.#slots, values: this.#values, texts: [...this.#numbers.keys()] })
  }
}

// Packed: counts of entries and of texts; each text's length in code units; each entry's slot and text; the texts one after another.
function packColumn({ slots, values, texts }: Packable): Uint8Array {
  const numbers = Uint32Array.from([
    slots.length,
    texts.length,
    ...texts.map(text => text.length),
    ...slots,
    ...values,
  ])
  return Buffer.concat([Buffer.from(numbers.buffer), Buffer.from(texts.join(''))])
}

/** The values of one field in one chunk. */
export class HeaderColumn {
  readonly slots: Uint32Array
  /** The number of each entry's text. */
  readonly values: Uint32Array
  readonly #texts: readonly string[]
  /** All texts folded, one after another with something between; `#starts` says where each begins, and where the next would. */
  readonly #folded: string
  readonly #starts: Uint32Array

  /** `fold` is what it is searched with. Throws RangeError on what `pack` cannot have made. */
  constructor(packed: Uint8Array, fold: (text: string) => string) {
    const bytes = packed.byteOffset % 4 === 0 ? packed : Uint8Array.from(packed)
    const { buffer, byteOffset, byteLength } = bytes
    const [entryCount = 0, textCount = 0] = new Uint32Array(buffer, byteOffset, 2)
    const lengths = new Uint32Array(buffer, byteOffset + 8, textCount)
    this.slots = new Uint32Array(buffer, byteOffset + 8 + 4 * textCount, entryCount)
    this.values = new Uint32Array(buffer, byteOffset + 8 + 4 * (textCount + entryCount), entryCount)
    const textStart = 8 + 4 * (textCount + 2 * entryCount)
    const joined = Buffer.from(buffer, byteOffset + textStart, byteLength - textStart).toString()
    const texts: string[] = []
    let at = 0
    for (const length of lengths) texts.push(joined.slice(at, (at += length)))
    this.#texts = texts
    this.#starts = new Uint32Array(textCount + 1)
    // Folding is about characters that stand together, so all at once is as good as one by one.
    let folded = fold(texts.join('\n'))
    if (!this.#findStarts(folded)) {
      const each = texts.map(fold)
      folded = each.join('\n')
      for (const [number, text] of each.entries())
        this.#starts[number + 1] = (this.#starts[number] as number) + text.length + 1
    }
    this.#folded = folded
  }

  get weight(): number {
    return 3 * this.#folded.length + 64 * this.#texts.length + 8 * this.slots.length
  }

  each(take: (text: string, slot: number) => void): void {
    for (const [at, slot] of this.slots.entries())
      take(this.#texts[this.values[at] as number] as string, slot)
  }

  /** Sets `into` to 1 at each slot with a value that holds the folded text. */
  mark(needle: string, into: Uint8Array): void {
    const { slots, values } = this
    const found = this.#find(needle)
    for (let at = 0; at < slots.length; at++)
      if (found[values[at] as number] === 1) into[slots[at] as number] = 1
  }

  /** Gives each distinct text, folded, to `judge`, and what that says to `take` with each of its slots. */
  judge(judge: (folded: string) => number, take: (slot: number, judgement: number) => void): void {
    const starts = this.#starts
    const judgements = this.#texts.map((_text, number) =>
      judge(this.#folded.slice(starts[number], (starts[number + 1] as number) - 1)),
    )
    for (const [at, slot] of this.slots.entries()) take(slot, judgements[this.values[at] as number] as number)
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
    const found = new Uint8Array(this.#texts.length)
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
