// Header fields by offset. RFC 5322 §2.2, §2.2.3 (folding), §4.5 (space before the colon).
//
// A header block is looked at as Latin-1 text: one character a byte, so that an index is an offset.
import { limits } from '../base/limits.ts'

/** One field of a header block. Offsets are into the block. */
export interface Field {
  /** In lower case, without the spaces that may stand before the colon; empty for a line that has no colon. */
  readonly name: string
  readonly start: number
  /** After the colon. */
  readonly valueStart: number
  /** After the line end of the field's last line. */
  readonly end: number
}

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const COLON = 58

/**
 * The offset after the blank line that ends the header block at `start`; `end` when there is none.
 * Lines end in LF, with or without CR.
 */
export function findBodyStart(bytes: Buffer, start = 0, end = bytes.length): number {
  let at = start
  while (at < end) {
    if (bytes[at] === LF) return at + 1
    if (bytes[at] === CR && at + 1 < end && bytes[at + 1] === LF) return at + 2
    const newline = bytes.indexOf(LF, at)
    if (newline === -1 || newline >= end) return end
    at = newline + 1
  }
  return end
}

/**
 * The fields of a header block (as Latin-1 text), in order, to the blank line or the end.
 * Lines without a colon are given with an empty name, so that nothing is lost.
 */
export function* fieldsOf(block: string): Generator<Field, void, undefined> {
  for (let at = 0; at < block.length && !isBlankLine(block, at); ) {
    const end = findFieldEnd(block, at)
    const colon = findColon(block, at, end)
    const valueStart = colon === -1 ? at : colon + 1
    yield { name: nameBefore(block, at, colon), start: at, valueStart, end }
    at = end
  }
}

/** Whether the line at `at` is the one that ends the header. */
export function isBlankLine(block: string, at: number): boolean {
  const first = block.charCodeAt(at)
  return first === LF || (first === CR && block.charCodeAt(at + 1) === LF)
}

/**
 * The name, in lower case, of the field in `[start, end)`; empty when its first line has no colon, or the name is
 * longer than `longest`.
 */
export function fieldName(block: string, start: number, end: number, longest: number): string {
  return nameBefore(block, start, findColon(block, start, end), longest)
}

/** `colon` is -1 where there is none. */
function nameBefore(block: string, start: number, colon: number, longest = Number.POSITIVE_INFINITY): string {
  let end = colon
  while (end > start && isBlank(block.charCodeAt(end - 1))) end--
  return colon === -1 || end - start > longest ? '' : block.slice(start, end).toLowerCase()
}

/** The offset after the field that starts at `at`: its first line and each line that begins with white space. */
export function findFieldEnd(block: string, at: number): number {
  for (;;) {
    const newline = block.indexOf('\n', at)
    if (newline === -1) return block.length
    at = newline + 1
    const next = block.charCodeAt(at)
    if (!isBlank(next)) return at
  }
}

function findColon(block: string, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const char = block.charCodeAt(at)
    if (char === COLON) return at
    if (char === LF) return -1
  }
  return -1
}

/**
 * A field's value on one line: the line ends go and the white space that folded stays (RFC 5322 §2.2.3), as does
 * white space at the end; spaces after the colon go.
 */
export function unfold(raw: string): string {
  let start = 0
  let end = Math.min(raw.length, limits.message.fieldBytes)
  while (start < end && isBlank(raw.charCodeAt(start))) start++
  if (end > start && raw.charCodeAt(end - 1) === LF) end--
  if (end > start && raw.charCodeAt(end - 1) === CR) end--
  const value = raw.slice(start, end)
  return value.includes('\n') || value.includes('\r')
    ? value.replaceAll('\n', '').replaceAll('\r', '')
    : value
}

function isBlank(char: number): boolean {
  return char === SPACE || char === TAB
}

/** The part of a header block that is parsed, as Latin-1 text. */
export function headerBlock(bytes: Buffer, start = 0, end = findBodyStart(bytes, start)): string {
  return bytes.toString('latin1', start, Math.min(end, start + limits.message.headerBytes))
}

/** The unfolded values (Latin-1, not decoded) of every field called `name` in a message or header block. */
export function fieldValues(bytes: Buffer, name: string): string[] {
  const wanted = name.toLowerCase()
  const block = headerBlock(bytes)
  const values: string[] = []
  for (const field of fieldsOf(block)) {
    if (field.name === wanted) values.push(unfold(block.slice(field.valueStart, field.end)))
  }
  return values
}
