// The base subject, by which SORT and THREAD compare. RFC 5256 §2.1, §5.
import { collapseSpace } from './nstring.ts'

/** A base subject, and whether what was taken off says that the message answers or forwards another. */
export interface BaseSubject {
  readonly text: string
  readonly isReply: boolean
}

/** The base subject of a decoded subject. Linear time. */
export function parseBaseSubject(subject: string): BaseSubject {
  let text = collapseSpace(subject)
  let isReply = false
  for (;;) {
    // RFC 5256 §2.1 (2).
    const withoutTrailer = trimTrailer(text)
    if (withoutTrailer.length !== text.length) {
      isReply ||= text.trimEnd().length !== withoutTrailer.length
      text = withoutTrailer
    }
    const leader = trimLeaders(text)
    text = leader.text
    isReply ||= leader.isReply
    // RFC 5256 §2.1 (6).
    if (!(text.length >= 6 && startsWith(text, 0, '[fwd:') && text.endsWith(']'))) return { text, isReply }
    text = text.slice(5, -1)
    isReply = true
  }
}

/** Whether `text` has the ASCII letters of `word` (lower case) at `at`, in any case. */
function startsWith(text: string, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    const char = text.charCodeAt(at + index)
    if ((char >= 65 && char <= 90 ? char | 32 : char) !== word.charCodeAt(index)) return false
  }
  return true
}

function trimTrailer(text: string): string {
  let end = text.length
  for (;;) {
    if (end > 0 && isBlank(text.charCodeAt(end - 1))) end--
    else if (end >= 5 && startsWith(text, end - 5, '(fwd)')) end -= 5
    else return text.slice(0, end)
  }
}

function isBlank(char: number): boolean {
  return char === 32 || char === 9
}

function skipBlanks(text: string, at: number): number {
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

/** RFC 5256 §2.1 (3) to (5): leaders with their blobs go; then blobs, while something stays. */
function trimLeaders(text: string): BaseSubject {
  let start = skipBlanks(text, 0)
  let isReply = false
  for (;;) {
    const blobs = blobEnds(text, start)
    const afterBlobs = blobs.at(-1) ?? start
    const leader = leaderEnd(text, afterBlobs)
    if (leader !== -1) {
      isReply = true
      start = skipBlanks(text, leader)
      continue
    }
    // No leader follows: drop the blobs that something else follows.
    if (afterBlobs < text.length) start = afterBlobs
    else start = blobs.at(-2) ?? start
    return { text: text.slice(start), isReply }
  }
}

/** Where each subj-blob in the row at `at` ends, with the spaces after it. */
function blobEnds(text: string, at: number): number[] {
  const ends: number[] = []
  for (;;) {
    const end = blobEnd(text, at)
    if (end === -1) return ends
    ends.push(end)
    at = end
  }
}

function blobEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== 91) return -1
  for (let end = at + 1; end < text.length; end++) {
    const char = text.charCodeAt(end)
    if (char === 93) {
      // "[fwd:" with its own bracket is a forwarded subject, not a blob, when it is all there is.
      return skipBlanks(text, end + 1)
    }
    if (char === 91) return -1
  }
  return -1
}

/** subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":" at `at`: where it ends, or -1. */
function leaderEnd(text: string, at: number): number {
  if (startsWith(text, at, 're')) at += 2
  else if (startsWith(text, at, 'fwd')) at += 3
  else if (startsWith(text, at, 'fw')) at += 2
  else return -1
  at = skipBlanks(text, at)
  const blob = blobEnd(text, at)
  if (blob !== -1) at = blob
  return text.charCodeAt(at) === 58 ? at + 1 : -1
}
