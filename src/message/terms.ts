// Words of folded text, and what a text that is looked for says of the words around it.
//
// Text is cut between two characters by their kinds alone, so that what is looked for is cut where the text that holds it is cut: separators end a
// word, and where writing has no spaces each pair of neighbours is a word. Nothing else is dropped.

import { foldCase } from './case-map.ts'

/** The longest word; of a longer one, windows of this length are kept, and each begins half of it behind the one before. */
export const termLength = 40
const windowStep = termLength / 2
/** Any part of a long word up to this length lies in one of its windows. */
const partLength = termLength - windowStep + 1

// Bits that no letter of ASCII has.
export const otherLetter = 0x100
export const unspacedLetter = 0x200

const separator = 0
const letter = 1
const unspaced = 2

/** The kind of each UTF-16 code unit. */
const kinds = kindsOfUnits()

function kindsOfUnits(): Uint8Array {
  const table = new Uint8Array(0x10000).fill(letter)
  const set = (kind: number, ...ranges: readonly (readonly [number, number])[]) => {
    for (const [first, last] of ranges) table.fill(kind, first, last + 1)
  }
  // ASCII but for letters and digits; general and CJK punctuation.
  set(separator, [0, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7f], [0x2000, 0x206f], [0x3000, 0x303f])
  // Thai, Lao, Myanmar, Khmer; kana and bopomofo; ideographs. (Korean has spaces.)
  set(unspaced, [0xe00, 0xeff], [0x1000, 0x109f], [0x1780, 0x17ff], [0x3040, 0x312f], [0x3400, 0x9fff])
  return table
}

/** By code unit: 0 for what separates words, what a letter of ASCII is folded to, `otherLetter`, or `unspacedLetter`. */
export const termUnits: Uint16Array = Uint16Array.from(kinds, (kind, unit) => {
  if (kind === separator) return 0
  if (kind === unspaced) return unspacedLetter
  return unit < 0x80 ? foldCase(String.fromCharCode(unit)).charCodeAt(0) : otherLetter
})

/** Gives each word of the folded text to `add`, some more than once. */
export function eachTerm(folded: string, add: (term: string) => void): void {
  eachTermPlace(unitsOf(folded), 0, folded.length, (start, end) => add(folded.slice(start, end)))
}

/** Gives the place of each word in a run of code units of folded text to `add`, some more than once. */
export function eachTermPlace(
  units: Uint16Array,
  from: number,
  to: number,
  add: (start: number, end: number) => void,
): void {
  for (let at = from; at < to; ) {
    const kind = kinds[units[at] as number]
    const end = runEnd(units, at, to, kind)
    if (kind === unspaced) addPairs(at, end, add)
    else if (kind === letter) addWord(at, end, add)
    at = end
  }
}

export function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length)
  writeUnits(text, units)
  return units
}

/** Puts the code units of a text into `units`. */
export function writeUnits(text: string, units: Uint16Array): void {
  Buffer.from(units.buffer, units.byteOffset, units.byteLength).write(text, 'utf16le')
}

function runEnd(units: Uint16Array, at: number, to: number, kind: number | undefined): number {
  let end = at + 1
  while (end < to && kinds[units[end] as number] === kind) end++
  return end
}

function addWord(at: number, end: number, add: (start: number, end: number) => void): void {
  if (end - at <= termLength) add(at, end)
  else eachWindow(at, end, add)
}

/** Gives the windows of a word of more than `termLength` characters. */
function eachWindow(at: number, end: number, add: (start: number, end: number) => void): void {
  for (let start = at; start + termLength < end; start += windowStep) add(start, start + termLength)
  add(end - termLength, end)
}

function addPairs(at: number, end: number, add: (start: number, end: number) => void): void {
  if (end - at === 1) add(at, end)
  for (let start = at; start + 1 < end; start++) add(start, start + 2)
}

/** What must be true of some word of a text. */
export interface TermPattern {
  readonly text: string
  /** The word begins with it. */
  readonly isStart: boolean
  /** The word ends with it. */
  readonly isEnd: boolean
}

/** More say hardly more. */
const maxPatterns = 16

/** Patterns that the words of every text that holds `folded` fulfil, the most telling first; none when it has no words. */
export function termPatterns(folded: string): readonly TermPattern[] {
  const found: TermPattern[] = []
  const units = unitsOf(folded)
  for (let at = 0; at < units.length; ) {
    const kind = kinds[units[at] as number]
    const end = runEnd(units, at, units.length, kind)
    // At its own ends the word in the text may go on.
    if (kind === unspaced) addPairPatterns(folded, at, end, found)
    else if (kind === letter) found.push(wordPattern(folded.slice(at, end), at > 0, end < folded.length))
    at = end
  }
  return found.sort((a, b) => weight(b) - weight(a)).slice(0, maxPatterns)
}

function weight({ text, isStart, isEnd }: TermPattern): number {
  return text.length * 2 + (isStart ? 1 : 0) + (isEnd ? 1 : 0)
}

function wordPattern(text: string, isStart: boolean, isEnd: boolean): TermPattern {
  if (isStart && text.length <= termLength) return { text, isStart, isEnd }
  // A long word is there in windows: the first begins as it does, the last ends as it does, and others lie between.
  if (isStart) return { text: withoutHalves(text.slice(0, termLength)), isStart, isEnd: false }
  if (isEnd) return { text: withoutHalves(text.slice(-termLength)), isStart: false, isEnd }
  return { text: withoutHalves(text.slice(0, partLength)), isStart, isEnd }
}

/** Windows are kept in UTF-8, which has nothing for half of a pair that was cut. */
function withoutHalves(text: string): string {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '')
}

function addPairPatterns(text: string, at: number, end: number, found: TermPattern[]): void {
  if (end - at === 1) found.push({ text: text.slice(at, end), isStart: false, isEnd: false })
  for (let start = at; start + 1 < end; start++)
    found.push({ text: text.slice(start, start + 2), isStart: true, isEnd: true })
}
