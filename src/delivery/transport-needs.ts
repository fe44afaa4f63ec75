// What a message asks of the servers it passes. RFC 6152 (8BITMIME); RFC 6531 §3.6 (SMTPUTF8).
import { parseMessage, type Part } from '../message/part.ts'

export interface TransportNeeds {
  readonly is8Bit: boolean
  /** A header field, at any level, holds more than ASCII. */
  readonly hasUtf8Headers: boolean
}

export function transportNeeds(bytes: Buffer): TransportNeeds {
  if (!hasHighBytes(bytes, 0, bytes.length)) return { is8Bit: false, hasUtf8Headers: false }
  return { is8Bit: true, hasUtf8Headers: hasHighHeaders(bytes, parseMessage(bytes)) }
}

function hasHighHeaders(bytes: Buffer, root: Part): boolean {
  const waiting: Part[] = [root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (hasHighBytes(bytes, part.headerStart, part.headerEnd)) return true
    waiting.push(...part.children)
  }
  return false
}

function hasHighBytes(bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] as number) > 0x7f) return true
  return false
}
