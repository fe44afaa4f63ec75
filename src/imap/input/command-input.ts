// One command as it arrived: pieces of text, each but the last followed by a literal. RFC 9051 §4.3; RFC 7888; RFC 3516 (literal8).
import type { StagedBody } from '../../store/store.ts'

/** What stood between the braces. */
export interface LiteralHead {
  readonly sizeBytes: number
  /** `{n+}`: the client does not wait for leave. */
  readonly nonSynchronizing: boolean
  /** `~{n}`: may hold NUL. */
  readonly binary: boolean
}

export type Literal = LiteralHead &
  (
    | { readonly kind: 'bytes'; readonly bytes: Buffer }
    | { readonly kind: 'staged'; readonly body: StagedBody }
  )

/** Text up to a literal's head (which it still holds) or the end of the command, without CRLF. */
export interface Piece {
  readonly text: Buffer
  literal: Literal | undefined
}

export interface CommandInput {
  readonly pieces: readonly Piece[]
}

const openBrace = 0x7b
const closeBrace = 0x7d
const plus = 0x2b
const tilde = 0x7e
/** More digits than any size that could be meant. */
const maxDigits = 16

/** The literal's head at the end of a line, if there is one. Sizes past 2^53 are given as Infinity: refuse them. */
export function findLiteralHead(line: Buffer): (LiteralHead & { readonly start: number }) | undefined {
  let at = line.length - 1
  if (line[at] !== closeBrace) return undefined
  at--
  const nonSynchronizing = line[at] === plus
  if (nonSynchronizing) at--
  const lastDigit = at
  while (at >= 0 && isDigit(line[at])) at--
  if (at === lastDigit || line[at] !== openBrace) return undefined
  const digits = line.toString('latin1', at + 1, lastDigit + 1)
  const binary = at > 0 && line[at - 1] === tilde
  const sizeBytes = digits.length > maxDigits ? Infinity : Number(digits)
  return { sizeBytes, nonSynchronizing, binary, start: binary ? at - 1 : at }
}

/** Text with literals in it, as it was kept somewhere, as if it had arrived; undefined where it does not end as a command does. */
export function splitLiterals(text: Buffer): CommandInput | undefined {
  const pieces: Piece[] = []
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) {
      const last = text.subarray(at)
      pieces.push({ text: last, literal: undefined })
      return findLiteralHead(last) ? undefined : { pieces }
    }
    const line = text.subarray(at, end)
    const head = findLiteralHead(line)
    at = end + 2 + (head?.sizeBytes ?? 0)
    if (!head || at > text.length) return undefined
    const { sizeBytes, nonSynchronizing, binary } = head
    const bytes = text.subarray(end + 2, at)
    pieces.push({ text: line, literal: { kind: 'bytes', sizeBytes, nonSynchronizing, binary, bytes } })
  }
}

/** Forgets bodies that the command has left staged. Safe after they were stored. */
export function discardLiterals(input: CommandInput): void {
  for (const { literal } of input.pieces) {
    if (literal?.kind === 'staged') literal.body.discard()
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}
