// A stretch of a result by places, counted from its beginning or its end. RFC 9394 §4 (partial-range); RFC 5267 §4.4.
import { bad } from './error.ts'
import type { Parser } from './input/parser.ts'

export interface PartialRange {
  /** Places from 1, `first` not after `last`. */
  readonly first: number
  readonly last: number
  /** Place 1 is the last result. */
  readonly isFromEnd: boolean
  /** As the client wrote it: the answer repeats it. */
  readonly text: string
}

/** Reads `1:500` or `-1:-100`. Throws BAD. */
export function parsePartialRange(parser: Parser): PartialRange {
  const isFromEnd = parser.take('-')
  const one = parser.nzNumber()
  parser.expect(':')
  if (parser.take('-') !== isFromEnd) throw bad('a partial range is counted from one end')
  const other = parser.nzNumber()
  return {
    // RFC 9394 §4: 500:400 is the same as 400:500.
    first: Math.min(one, other),
    last: Math.max(one, other),
    isFromEnd,
    text: [one, other].map(place => (isFromEnd ? '-' : '') + place).join(':'),
  }
}

/** The part of `results` that is in the range, in the order of `results`; empty where there are none. */
export function partOf(results: Uint32Array, { first, last, isFromEnd }: PartialRange): Uint32Array {
  const { length } = results
  if (first > length) return results.subarray(0, 0)
  if (isFromEnd) return results.subarray(Math.max(length - last, 0), length - first + 1)
  return results.subarray(first - 1, last)
}
