// Distinct texts with a number each, and their order by some collation.
import { numbersBelow, type Breathe, inStretches } from '../base/breathe.ts'
import { breathingSort } from '../base/breathing-sort.ts'

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

  /** The rank of each text, by its number: equal for texts with one key, 0 for the empty one. */
  async ranks({ name, keyOf }: TextOrder, breathe: Breathe): Promise<Uint32Array> {
    const count = this.#texts.length
    if (this.#ranks?.order === name && this.#ranks.numbers.length === count) return this.#ranks.numbers
    const keys = new Array<string>(count)
    await inStretches(count, breathe, (from, to) => {
      for (let number = from; number < to; number++) keys[number] = keyOf(this.#texts[number] as string)
    })
    const order = await numbersBelow(count, breathe)
    await breathingSort(order, (a, b) => compareKeys(keys[a] as string, keys[b] as string), breathe)
    const ranks = new Uint32Array(count)
    let rank = 0
    let last = keys[0]
    await inStretches(count, breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const number = order[at] as number
        if (keys[number] !== last) rank++
        last = keys[number]
        ranks[number] = rank
      }
    })
    this.#ranks = { order: name, numbers: ranks }
    return ranks
  }

  /** A number for each text, by its number: the same for texts with one key, 0 for the empty one. */
  async classes({ name, keyOf }: TextOrder, breathe: Breathe): Promise<Uint32Array> {
    const count = this.#texts.length
    if (this.#classes?.order === name && this.#classes.numbers.length === count) return this.#classes.numbers
    const classes = new Uint32Array(count)
    const byKey = new Map<string, number>()
    await inStretches(count, breathe, (from, to) => {
      for (let number = from; number < to; number++) {
        const key = keyOf(this.#texts[number] as string)
        const known = byKey.get(key)
        if (known === undefined) byKey.set(key, number)
        classes[number] = known ?? number
      }
    })
    this.#classes = { order: name, numbers: classes }
    return classes
  }
}

function compareKeys(a: string, b: string): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}
