// BINARY[…]<partial>, BINARY.PEEK[…] and BINARY.SIZE[…]: a part with its transfer encoding undone. RFC 3516 §4; RFC 9051 §6.4.5.
import type { Awaitable } from '../../../base/awaitable.ts'
import { findSection, type Section } from '../../../message/sections.ts'
import { decodeTransfer, isEncodingKnown } from '../../../message/transfer.ts'
import type { Encoder } from '../../encoder.ts'
import { no } from '../../error.ts'
import type { FetchedMessage } from '../fetched-message.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'
import { partialSpan } from '../section-bytes.ts'
import { formatSection, type Partial, parseBinarySection, parsePartial } from '../section-name.ts'

/** Encodings that change nothing, so that the size is known without reading. */
const identities: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary', ''])

export const binary: FetchItemDefinition = {
  name: 'BINARY',
  parse: parser => binaryItem(parseBinarySection(parser), parsePartial(parser), true),
}

export const binaryPeek: FetchItemDefinition = {
  name: 'BINARY.PEEK',
  parse: parser => binaryItem(parseBinarySection(parser), parsePartial(parser), false),
}

export const binarySize: FetchItemDefinition = {
  name: 'BINARY.SIZE',
  parse(parser) {
    const path = parseBinarySection(parser)
    const label = `BINARY.SIZE${formatSection({ kind: 'BODY', path })}`
    return {
      label,
      columns: ['blob', 'parts'],
      span: message => findBinary(message, path),
      write(message, out) {
        const section = findBinary(message, path)
        out.ascii(label).byte(0x20)
        // The grammar has no NIL here.
        if (!section) out.number(0)
        else if (identities.has(section.encoding)) out.number(section.end - section.start)
        else return withDecoded(message, section, bytes => void out.number(bytes.length))
        return undefined
      },
    }
  },
}

function binaryItem(path: readonly number[], partial: Partial | undefined, setsSeen: boolean): FetchItem {
  const name = `BINARY${formatSection({ kind: 'BODY', path })}`
  const label = partial ? `${name}<${partial.offset}>` : name
  return {
    label: partial ? `${label}${partial.count}` : label,
    columns: ['blob', 'parts'],
    setsSeen,
    span: message => findBinary(message, path),
    write(message, out) {
      const section = findBinary(message, path)
      out.ascii(label).byte(0x20)
      if (section) return withDecoded(message, section, bytes => writeBinary(out, bytes, partial))
      out.ascii('NIL')
      return undefined
    },
  }
}

/** The part's body. What can't be decoded is refused: RFC 3516 §4.3, UNKNOWN-CTE. */
function findBinary(message: FetchedMessage, path: readonly number[]): Section | undefined {
  const section = findSection(message.parts, path, 'BODY')
  if (section && !isEncodingKnown(section.encoding)) {
    message.refusal ??= no('UNKNOWN-CTE', 'A part has a transfer encoding that is not known here')
    return undefined
  }
  return section
}

function withDecoded(
  message: FetchedMessage,
  section: Section,
  use: (bytes: Buffer) => void,
): Awaitable<void> {
  const { start, end, encoding } = section
  const known = message.decoded
  if (known && known.start === start && known.end === end) return use(known.bytes)
  const raw = message.peekBytes(section) ?? message.readBytes(start, end)
  const decode = (bytes: Buffer) => {
    message.decoded = { start, end, bytes: decodeTransfer(bytes, encoding) }
    use(message.decoded.bytes)
  }
  return raw instanceof Promise ? raw.then(decode) : decode(raw)
}

/** RFC 9051 §6.4.5: a partial counts decoded bytes. A literal8 where there is NUL (RFC 3516 §4.3). */
function writeBinary(out: Encoder, bytes: Buffer, partial: Partial | undefined): void {
  const { start, end } = partialSpan({ start: 0, end: bytes.length }, partial)
  if (start === end) out.ascii('""')
  else {
    const chosen = bytes.subarray(start, end)
    out.literal(chosen, chosen.includes(0))
  }
}
