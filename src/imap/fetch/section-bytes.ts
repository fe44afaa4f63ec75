// The bytes that a section of BODY[…] names, and how they go out. RFC 9051 §6.4.5, §6.4.5.1.
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import { findSection, headerFields } from '../../message/sections.ts'
import type { Encoder } from '../encoder.ts'
import type { Span } from './fetch-item.ts'
import type { FetchedMessage } from './fetched-message.ts'
import { writeValue } from './literal-value.ts'
import type { Partial, SectionName } from './section-name.ts'
import { writeStored } from './write-stored.ts'

/** Where a section lies, before any subsetting of header fields; undefined when the message has no such thing. */
export function sectionSpan(message: FetchedMessage, section: SectionName): Span | undefined {
  const { kind, path } = section
  if (path.length > 0) {
    return findSection(
      message.parts,
      path,
      kind === 'BODY' || kind === 'TEXT' || kind === 'MIME' ? kind : 'HEADER',
    )
  }
  switch (kind) {
    case 'BODY':
      return { start: 0, end: message.sizeBytes }
    case 'TEXT':
      return { start: message.row.header_bytes, end: message.sizeBytes }
    case 'MIME':
      return undefined
    default:
      return { start: 0, end: message.row.header_bytes }
  }
}

/** The part of `span` that `partial` asks for; empty when it begins behind the end. */
export function partialSpan(span: Span, partial: Partial | undefined): Span {
  if (!partial) return span
  const start = Math.min(span.start + partial.offset, span.end)
  return { start, end: Math.min(start + partial.count, span.end) }
}

/** The bytes of the header block that are looked at for HEADER.FIELDS. */
export function fieldsSpan(span: Span): Span {
  return { start: span.start, end: Math.min(span.end, span.start + limits.message.headerBytes) }
}

/** Writes the value of a section: a literal, `""` for nothing, NIL where the message has no such section. */
export function writeSpan(message: FetchedMessage, out: Encoder, span: Span | undefined): Awaitable<void> {
  if (!span) {
    out.ascii('NIL')
    return undefined
  }
  const bytes = message.peekBytes(span)
  if (bytes) return writeValue(out, bytes)
  return writeStored(message, out, span)
}

/** Writes the chosen fields of a header block. */
export function writeFields(
  message: FetchedMessage,
  out: Encoder,
  span: Span | undefined,
  section: SectionName & { readonly fields: readonly string[] },
  partial: Partial | undefined,
): Awaitable<void> {
  if (!span) {
    out.ascii('NIL')
    return undefined
  }
  const block = fieldsSpan(span)
  const write = (bytes: Buffer) => {
    const chosen = headerFields(bytes, section.fields, section.kind === 'HEADER.FIELDS.NOT')
    // RFC 9051 §6.4.5: a partial is taken after subsetting.
    const { start, end } = partialSpan({ start: 0, end: chosen.length }, partial)
    writeValue(out, chosen.subarray(start, end))
  }
  const bytes = message.peekBytes(block) ?? message.readBytes(block.start, block.end)
  return bytes instanceof Promise ? bytes.then(write) : write(bytes)
}
