// Distinct texts with a number each, and their order by some collation.
import type { Breathe } from '../base/breathe.ts'

/** Keys that are made without letting others run. */
const textsAtOnce = 1024

/** A way to put texts in order: they are in its order when their keys are in JavaScript's. */
export interface TextOrder {
  readonly name: string
  readonly keyOf: (text: string) => string
}

/** What was worked out of the texts that there were. */
interface KnownNumbers {
  readonly order: string
  readonly numbers: Uint32Array
}

export class TextSet {
  /** Undefined where hardly any text comes twice: then each gets a number of its own. */
  readonly #numbers: Map<string, number> | undefined
  readonly #texts: string[] = ['']
  #length = 0
  #ranks: KnownNumbers | undefined
  #classes: KnownNumbers | undefined

  constructor(findsEqual = true) {
    this.#numbers = findsEqual ? new Map() : undefined
  }

  /** The text's number; 0 for the empty one. */
  add(text: string): number {
    if (text === '') return 0
    const known = this.#numbers?.get(text)
    if (known !== undefined) return known
    const number = this.#texts.length
    this.#numbers?.set(text, number)
    this.#texts.push(text)
    this.#length += text.length
    return number
  }

  get count(): number {
    return this.#texts.length
  }

  textAt(number: number): string {
    return this.#texts[number] as string
  }

  /** About the bytes that it takes. */
  get weight(): number {
    return this.#length + 80 * this.#texts.length
  }

  /** The rank of each text, by its number: equal for texts with one key, 0 for the empty one. `sort` sorts numbers by a comparison. */
  async ranks(
    { name, keyOf }: TextOrder,
    sort: (numbers: Uint32Array, compare: (a: number, b: number) => number) => Promise<void>,
    breathe: Breathe,
  ): Promise<Uint32Array> {
    const count = this.#texts.length
    if (this.#ranks?.order === name && this.#ranks.numbers.length === count) return this.#ranks.numbers
    const keys = new Array<string>(count)
    for (let number = 0; number < count; number++) {
      keys[number] = keyOf(this.#texts[number] as string)
      if (number % textsAtOnce === 0) await breathe()
    }
    const order = Uint32Array.from(keys, (_key, number) => number)
    await sort(order, (a, b) => compareKeys(keys[a] as string, keys[b] as string))
    const ranks = new Uint32Array(count)
    let rank = 0
    for (let at = 1; at < count; at++) {
      if (keys[order[at] as number] !== keys[order[at - 1] as number]) rank++
      ranks[order[at] as number] = rank
    }
    this.#ranks = { order: name, numbers: ranks }
    return ranks
  }

  /** A number for each text, by its number: the same for texts with one key, 0 for the empty one. */
  async classes({ name, keyOf }: TextOrder, breathe: Breathe): Promise<Uint32Array> {
    const count = this.#texts.length
    if (this.#classes?.order === name && this.#classes.numbers.length === count) return this.#classes.numbers
    const classes = new Uint32Array(count)
    const byKey = new Map<string, number>()
    for (let number = 0; number < count; number++) {
      const key = keyOf(this.#texts[number] as string)
      const known = byKey.get(key)
      if (known === undefined) byKey.set(key, number)
      classes[number] = known ?? number
      if (number % textsAtOnce === 0) await breathe()
    }
    this.#classes = { order: name, numbers: classes }
    return classes
  }
}

function compareKeys(a: string, b: string): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}
