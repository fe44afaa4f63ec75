// Puts texts in the order of their octets: sorts short runs, and merges them all at once. It knows how much each text has in common with the one that went before it, and so looks
// at most octets once: where many texts begin alike, as subjects do, comparing them from their beginnings takes most of the time (Bingmann, Eberle, Sanders: Engineering
// Parallel String Sorting, the LCP loser tree).
import { numbersBelow, type Breathe, inStretches } from '../base/breathe.ts'
import type { Texts } from './text-set.ts'

/** What is in order for so long already is left as a run; else so many are sorted at once. */
const [leastRun, runLength] = [256, 1024]

/** The rank of each text: equal for equal ones, 0 for the first in order. */
export async function rankTexts(texts: Texts, breathe: Breathe): Promise<Uint32Array> {
  const count = texts.starts.length - 1
  const sorting = new Sorting(texts)
  const runs: Sequence = { order: await numbersBelow(count, breathe), common: new Uint32Array(count) }
  const ends = await sorting.sortRuns(runs, breathe)
  const { order, common } = ends.length > 1 ? await sorting.mergeRuns(runs, ends, breathe) : runs
  const ranks = new Uint32Array(count)
  let rank = 0
  await inStretches(count, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      const text = order[at] as number
      const length = common[at] as number
      const isEqual =
        at > 0 && length === sorting.lengthOf(text) && length === sorting.lengthOf(order[at - 1] as number)
      if (at > 0 && !isEqual) rank++
      ranks[text] = rank
    }
  })
  return ranks
}

/** Texts in runs, each in order. */
interface Sequence {
  readonly order: Uint32Array
  /** How many octets each has in common with the one before it in its run. */
  readonly common: Uint32Array
}

/** What a run has in common with the last text that was put into the target when it has no text left: less than any. */
const ended = -1

class Sorting {
  readonly #bytes: Uint8Array
  readonly #starts: Uint32Array

  constructor({ bytes, starts }: Texts) {
    this.#bytes = bytes
    this.#starts = starts
  }

  lengthOf(text: number): number {
    return (this.#starts[text + 1] as number) - (this.#starts[text] as number) - 1
  }

  /** Sorts short stretches; where each run ends. */
  async sortRuns({ order, common }: Sequence, breathe: Breathe): Promise<number[]> {
    const { length } = order
    const ends: number[] = []
    const compare = (a: number, b: number) => {
      const octets = this.common(a, b, 0)
      if (this.isLess(a, b, octets)) return -1
      return this.isLess(b, a, octets) ? 1 : 0
    }
    for (let from = 0; from < length; ) {
      let to = this.#measure(order, common, from)
      if (to - from < leastRun && to < length) {
        to = Math.min(from + runLength, length)
        order.subarray(from, to).sort(compare)
        this.#measure(order, common, from)
      }
      ends.push(to)
      from = to
      const breath = breathe()
      if (breath !== undefined) await breath
    }
    return ends
  }

  /** Finds what each has in common with the one before it as long as they are in order; where that ends, or the longest run does. */
  #measure(order: Uint32Array, common: Uint32Array, from: number): number {
    const most = Math.min(from + runLength, order.length)
    common[from] = 0
    let at = from + 1
    for (; at < most; at++) {
      const before = order[at - 1] as number
      const text = order[at] as number
      const octets = this.common(before, text, 0)
      if (this.isLess(text, before, octets)) break
      common[at] = octets
    }
    return at
  }

  /** Merges all runs, of which there are several. */
  async mergeRuns(runs: Sequence, ends: readonly number[], breathe: Breathe): Promise<Sequence> {
    const { length } = runs.order
    const merged: Sequence = { order: new Uint32Array(length), common: new Uint32Array(length) }
    const tree = new LoserTree(runs, ends, this)
    await inStretches(length, breathe, (from, to) => tree.take(merged, from, to))
    return merged
  }

  /** How many octets two texts have in common, of which these are known already. */
  common(one: number, other: number, known: number): number {
    const bytes = this.#bytes
    const starts = this.#starts
    let at = (starts[one] as number) + known
    let otherAt = (starts[other] as number) + known
    const most = Math.min((starts[one + 1] as number) - at, (starts[other + 1] as number) - otherAt) - 1
    const end = at + most
    while (at < end && bytes[at] === bytes[otherAt]) {
      at++
      otherAt++
    }
    return known + at - (end - most)
  }

  /** Whether a text comes before another one with which it has so many octets in common. */
  isLess(text: number, other: number, common: number): boolean {
    const starts = this.#starts
    const place = (starts[text] as number) + common
    const otherPlace = (starts[other] as number) + common
    if (otherPlace + 1 === starts[other + 1]) return false
    if (place + 1 === starts[text + 1]) return true
    return (this.#bytes[place] as number) < (this.#bytes[otherPlace] as number)
  }
}

/**
 * Gives the texts of several runs in order. The runs play against each other in pairs, whoever won goes on to the next game, and each game remembers who lost it: when the
 * winner of all has gone, only its own games are played again, with the next text of its run.
 *
 * Of each player is known how much he has in common with the last winner: who has more comes first, and only where two have the same are their octets looked at, from there on.
 */
class LoserTree {
  readonly #sorting: Sorting
  readonly #order: Uint32Array
  readonly #common: Uint32Array
  /** By run: the place of its text that plays, and where the run ends. */
  readonly #places: Uint32Array
  readonly #ends: Uint32Array
  /** By run: what it has in common with the last winner, or, of one that has lost to another since, with that one. */
  readonly #known: Int32Array
  /** By game, the last one first: the run that lost it. The players of game `n` are the winners of `2 n` and `2 n + 1`; from `#size` on they are runs. */
  readonly #losers: Uint32Array
  readonly #size: number
  #winner: number

  constructor({ order, common }: Sequence, ends: readonly number[], sorting: Sorting) {
    this.#sorting = sorting
    this.#order = order
    this.#common = common
    this.#size = 2 ** Math.ceil(Math.log2(ends.length))
    this.#ends = new Uint32Array(this.#size)
    this.#ends.set(ends)
    this.#places = new Uint32Array(this.#size)
    this.#places.set(ends.slice(0, -1), 1)
    this.#known = new Int32Array(this.#size).fill(ended)
    this.#known.fill(0, 0, ends.length)
    this.#losers = new Uint32Array(this.#size)
    this.#winner = this.#playAll()
  }

  /** Fills the places of `target` from one to another. */
  take(target: Sequence, from: number, to: number): void {
    const order = this.#order
    const common = this.#common
    const places = this.#places
    const ends = this.#ends
    const known = this.#known
    const losers = this.#losers
    const size = this.#size
    let winner = this.#winner
    for (let at = from; at < to; at++) {
      const place = places[winner] as number
      target.order[at] = order[place] as number
      target.common[at] = known[winner] as number
      const next = place + 1
      places[winner] = next
      known[winner] = next < (ends[winner] as number) ? (common[next] as number) : ended
      for (let game = (winner + size) >>> 1; game > 0; game >>>= 1) {
        const other = losers[game] as number
        if (!this.#losesTo(winner, other)) continue
        losers[game] = winner
        winner = other
      }
    }
    this.#winner = winner
  }

  /** Plays each game for the first time; who wins the last. */
  #playAll(): number {
    const winners = new Uint32Array(2 * this.#size)
    for (let run = 0; run < this.#size; run++) winners[this.#size + run] = run
    for (let game = this.#size - 1; game > 0; game--) {
      const one = winners[2 * game] as number
      const other = winners[2 * game + 1] as number
      const loses = this.#losesTo(one, other)
      winners[game] = loses ? other : one
      this.#losers[game] = loses ? one : other
    }
    return winners[1] as number
  }

  /** Plays one game. Where both have as much in common with the last winner it looks at their texts, and notes what the loser has with who won now. */
  #losesTo(run: number, other: number): boolean {
    const known = this.#known[run] as number
    const others = this.#known[other] as number
    if (known !== others) return known < others
    if (known === ended) return false
    const text = this.#order[this.#places[run] as number] as number
    const otherText = this.#order[this.#places[other] as number] as number
    const octets = this.#sorting.common(text, otherText, known)
    const loses = this.#sorting.isLess(otherText, text, octets)
    this.#known[loses ? run : other] = octets
    return loses
  }
}
