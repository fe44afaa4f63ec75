// How near a text is to the words that somebody looks for: words in any order, with slips of the pen and other endings. RFC 6203 §3.
import { foldCase } from './case-map.ts'
import { eachTerm } from './terms.ts'

const maxWords = 16

/** The words to look for; none where the text has none. */
export function fuzzyWords(text: string): readonly string[] {
  const words = new Set<string>()
  eachTerm(foldCase(text), word => {
    if (words.size < maxWords) words.add(word)
  })
  return [...words]
}

/** From 0, for another word, to 1 for the same. Both are folded. */
export function closeness(word: string, term: string): number {
  if (word === term) return 1
  if (word.length > 1 && term.startsWith(word)) return 0.9
  const most = word.length < 3 ? 0 : word.length < 6 ? 1 : 2
  if (most === 0 || Math.abs(term.length - word.length) > 3) return 0
  // "reports" for "report".
  if (term.length > 3 && word.startsWith(term)) return 0.75
  const slips = countSlips(word, term, most)
  return slips > most ? 0 : 0.9 - 0.15 * slips
}

/** Letters left out, put in, changed or exchanged with their neighbours (optimal string alignment); more than `most` where there are more. */
function countSlips(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_unused, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let least = i
    for (let j = 1; j <= b.length; j++) {
      const isSame = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      let slips = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + (isSame ? 0 : 1),
      )
      const isSwap =
        i > 1 &&
        j > 1 &&
        a.charCodeAt(i - 1) === b.charCodeAt(j - 2) &&
        a.charCodeAt(i - 2) === b.charCodeAt(j - 1)
      if (isSwap) slips = Math.min(slips, (before[j - 2] as number) + 1)
      row.push(slips)
      if (slips < least) least = slips
    }
    if (least > most) return most + 1
    before = above
    above = row
  }
  return above[b.length] as number
}

/** Words to look for, and how near those of some texts come. */
export class FuzzyMatch {
  readonly #words: readonly string[]
  readonly #best: Float64Array
  readonly #seen = new Set<string>()

  constructor(words: readonly string[]) {
    this.#words = words
    this.#best = new Float64Array(words.length)
  }

  /** Looks at one more text. */
  take(text: string): void {
    eachTerm(foldCase(text), term => {
      if (this.#seen.has(term)) return
      this.#seen.add(term)
      for (const [at, word] of this.#words.entries()) {
        const near = closeness(word, term)
        if (near > (this.#best[at] as number)) this.#best[at] = near
      }
    })
  }

  get score(): number {
    return scoreOf(this.#best)
  }
}

/** The mean of how near each word came; 0 when one is not there at all. */
export function scoreOf(best: ArrayLike<number>): number {
  let sum = 0
  for (let at = 0; at < best.length; at++) {
    if (best[at] === 0) return 0
    sum += best[at] as number
  }
  return sum / best.length
}
