// Mail for end-to-end tests, and what is compared of it.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { realisticMessage } from '../../bench/messages.ts'
import { sharedFolder } from '../shared.ts'

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What two copies of a message are compared by: all bytes; all but the last line's end; only the body. */
export type Exactness = 'bytes' | 'lines' | 'body'

const canonical: Record<Exactness, (message: Buffer) => Buffer> = {
  bytes: withoutNul,
  lines: message => asData(withoutNul(message)),
  body: message => bodyOf(withoutNul(message)),
}

/** What a literal of IMAP can't carry (RFC 9051 §9, CHAR8) is sent as 0x80, by Dovecot too. */
function withoutNul(message: Buffer): Buffer {
  return message.includes(0) ? Buffer.from(message.map(byte => (byte === 0 ? 0x80 : byte))) : message
}

/**
 * Compares the SHA-256 of messages in any order. Gives a line for each message that is missing, with the
 * message nearest to it that has no match and where the two part; and how many there are too many (`spare` may be).
 */
export function differences(
  found: readonly Buffer[],
  sent: readonly Buffer[],
  exactness: Exactness,
  spare = 0,
): string[] {
  const left = new Map<string, Buffer[]>()
  for (const message of found.map(canonical[exactness])) {
    const hash = sha256(message)
    left.set(hash, [...(left.get(hash) ?? []), message])
  }
  const missing = sent
    .map(canonical[exactness])
    .filter(message => left.get(sha256(message))?.pop() === undefined)
  const surplus = [...left.values()].flat()
  const lines = missing.map(message => describeMissing(message, surplus))
  const tooMany = surplus.length - missing.length - spare
  if (tooMany > 0) lines.push(`${tooMany} messages too many`)
  return lines
}

function describeMissing(message: Buffer, surplus: readonly Buffer[]): string {
  let best: { at: number; other: Buffer } = { at: -1, other: Buffer.alloc(0) }
  for (const other of surplus) {
    let at = 0
    while (at < message.length && message[at] === other[at]) at++
    if (at > best.at) best = { at, other }
  }
  const around = (bytes: Buffer) =>
    JSON.stringify(bytes.toString('latin1', Math.max(0, best.at - 30), best.at + 50))
  return `missing ${sha256(message).slice(0, 8)} of ${message.length} bytes; nearest ${best.other.length} bytes, parting at ${best.at}: ${around(message)} became ${around(best.other)}`
}

/** Bare LF becomes CRLF; nothing else changes. */
export function withCrlf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}

/** What comes after the header, as programs see it that rewrite the header and the last line's end. */
export function bodyOf(message: Buffer): Buffer {
  const text = withCrlf(message).toString('latin1')
  const at = text.indexOf('\r\n\r\n')
  return Buffer.from(text.slice(at < 0 ? text.length : at + 4).replace(/(?:\r\n)+$/, ''), 'latin1')
}

/** A message of the corpus, ready for the wire. */
export interface CorpusMessage {
  readonly file: string
  readonly bytes: Buffer
}

/** The messages of the shared corpus by name; none where it is not here. */
export function corpus(): CorpusMessage[] {
  if (sharedFolder === undefined) return []
  const folder = join(sharedFolder, 'corpus', 'eml')
  return readdirSync(folder)
    .toSorted()
    .map(file => ({ file, bytes: withCrlf(readFileSync(join(folder, file))) }))
}

/** Some messages of our own and, where it is here, every twentieth of the corpus. */
export function sample(): Buffer[] {
  const own = Array.from({ length: 12 }, (_, number) => realisticMessage(number * 3))
  return [...own, ...corpus().flatMap(({ bytes }, at) => (at % 20 === 0 ? [bytes] : []))]
}

/**
 * A delivered message without the trace fields that delivery put before it (RFC 5321 §4.4), given what was sent;
 * undefined where what was sent isn't its end or something else was put before it.
 */
export function withoutTrace(delivered: Buffer, sent: Buffer): Buffer | undefined {
  if (!delivered.subarray(-sent.length).equals(withoutNul(sent))) return undefined
  const added = delivered.toString('latin1', 0, delivered.length - sent.length)
  const fields = added.replace(/\r\n[ \t]/g, ' ')
  return /^(?:(?:Return-Path|Received|Delivered-To|Authentication-Results|X-Original-To): .*\r\n)*$/i.test(
    fields,
  )
    ? delivered.subarray(-sent.length)
    : undefined
}

/** What DATA makes of a message: its last line has an end (RFC 5321 §4.1.1.4). */
export function asData(message: Buffer): Buffer {
  return message.subarray(-2).toString('latin1') === '\r\n'
    ? message
    : Buffer.concat([message, Buffer.from('\r\n')])
}
