// Sets of message numbers as a client writes them. RFC 9051 §9 (sequence-set), RFC 5182 ($).
import { type Breathe, stepsPerBreath } from '../base/breathe.ts'
import type { UidRange, UidRanges } from '../store/uid-ranges.ts'

/** `*` in a set. */
export const star = Infinity

export type SequenceSet =
  | { readonly kind: 'ranges'; readonly ranges: readonly UidRange[] }
  /** `$`: the messages of the last SEARCH RETURN (SAVE). */
  | { readonly kind: 'saved' }

/**
 * The set as ascending ranges that do not touch, with `*` standing for `last` (the largest number in use; 0 when there is none).
 * `5:*` with a smaller `last` is `last:5` and so takes in `last` (RFC 9051 §9, seq-range).
 */
export function normalizeRanges(ranges: readonly UidRange[], last: number): UidRanges {
  const ordered: [number, number][] = []
  for (const [first, second] of ranges) {
    const one = first === star ? last : first
    const other = second === star ? last : second
    const from = Math.min(one, other)
    const to = Math.max(one, other)
    if (to > 0) ordered.push([Math.max(from, 1), to])
  }
  if (ordered.length < 2) return ordered
  ordered.sort((a, b) => a[0] - b[0])
  const merged: [number, number][] = []
  for (const range of ordered) {
    const previous = merged[merged.length - 1]
    if (previous && range[0] <= previous[1] + 1) previous[1] = Math.max(previous[1], range[1])
    else merged.push(range)
  }
  return merged
}

/** `1:3,7` of ascending numbers. */
export function formatNumbers(numbers: ArrayLike<number>): string {
  const parts: string[] = []
  for (let at = 0; at < numbers.length; ) at = addRange(parts, numbers, at)
  return parts.join(',')
}

/** The same of as many as a mailbox has. */
export async function formatMany(numbers: ArrayLike<number>, breathe: Breathe): Promise<string> {
  const stretches: string[] = []
  for (let at = 0; at < numbers.length; ) {
    const end = Math.min(at + stepsPerBreath, numbers.length)
    const parts: string[] = []
    while (at < end) at = addRange(parts, numbers, at)
    stretches.push(parts.join(','))
    const breath = breathe()
    if (breath !== undefined) await breath
  }
  return stretches.join(',')
}

/** Adds the range that begins at `from`, and gives where the next one does. */
function addRange(parts: string[], numbers: ArrayLike<number>, from: number): number {
  const first = numbers[from] as number
  let last = first
  let at = from + 1
  while (at < numbers.length && numbers[at] === last + 1) {
    last++
    at++
  }
  parts.push(first === last ? `${first}` : `${first}:${last}`)
  return at
}
