// URLFETCH: what authorised URLs stand for. RFC 4467 §6 and RFC 5524 (BODYPARTSTRUCTURE, BINARY), from knowledge of them.
import { limits } from '../../base/limits.ts'
import { writeBodyStructure } from '../../message/body-structure.ts'
import { type Part, parseMessage } from '../../message/part.ts'
import { findSection } from '../../message/sections.ts'
import { decodeTransfer, isEncodingKnown } from '../../message/transfer.ts'
import { ConnectionError } from '../../net/connection-error.ts'
import { StoreError } from '../../store/error.ts'
import { command } from '../command.ts'
import { bad } from '../error.ts'
import { withoutNul } from '../fetch/literal-value.ts'
import type { Parser } from '../input/parser.ts'
import type { Session } from '../session.ts'
import { openAuthorizedUrl } from '../url/url-auth.ts'
import { cut, type UrlContent } from '../url/url-content.ts'

const items = ['BODYPARTSTRUCTURE', 'BINARY', 'BODY'] as const
type Item = (typeof items)[number]

interface Wanted {
  readonly url: string
  /** Undefined: the plain form of RFC 4467. */
  readonly items: readonly Item[] | undefined
}

export const urlFetch = command({
  name: 'URLFETCH',
  state: 'authenticated',
  parse(parser) {
    const wanted: Wanted[] = []
    do {
      parser.sp()
      wanted.push(parseWanted(parser))
      if (wanted.length > limits.imap.urls) throw bad('that are too many URLs', 'TOOBIG')
    } while (!parser.isAtEnd && parser.peek(' '))
    return wanted
  },
  async run(session, wanted) {
    session.out.ascii('* URLFETCH')
    for (const one of wanted) await answer(session, one)
    session.out.crlf()
  },
})

/** A URL, or `(url BODYPARTSTRUCTURE BINARY)`. */
function parseWanted(parser: Parser): Wanted {
  if (!parser.take('(')) return { url: parser.astringBytes().toString('latin1'), items: undefined }
  const url = parser.astringBytes().toString('latin1')
  const named = new Set<Item>()
  while (parser.moreAfterSpace()) {
    const word = parser.keyword()
    const item = items.find(name => name === word)
    if (!item) throw bad('URLFETCH gives BODY, BINARY and BODYPARTSTRUCTURE')
    named.add(item)
  }
  parser.expect(')')
  // RFC 5524 §3: BODY and BINARY are two forms of one thing.
  if (named.has('BODY') && named.has('BINARY')) throw bad('BODY and BINARY exclude each other')
  return { url, items: named.size === 0 ? ['BODY'] : [...named] }
}

async function answer(session: Session, { url, items: wanted }: Wanted): Promise<void> {
  const { out } = session
  const content = await openAuthorizedUrl(session, url)
  out.byte(0x20).string(url)
  if (!content) {
    out.ascii(' NIL')
    return
  }
  try {
    if (!wanted) {
      out.byte(0x20)
      await writeBody(session, content)
      return
    }
    for (const item of wanted) {
      out.ascii(` (${item} `)
      if (item === 'BODY') await writeBody(session, content)
      else if (item === 'BINARY') await writeBinary(session, content)
      else await writeStructure(session, content)
      out.byte(0x29)
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    // The message went away in the middle of its answer, where nothing else could be told from its text.
    session.connection.destroy()
    throw new ConnectionError('ConnectionClosed', 'a response could not be finished', { cause: error })
  }
}

async function writeBody({ out, connection }: Session, content: UrlContent): Promise<void> {
  const { sizeBytes } = content
  if (sizeBytes === 0) {
    out.ascii('""')
    return
  }
  const { pieceBytes } = limits.imap
  // The first piece before the head: a message that is gone by now can still be told so.
  let piece = await content.read(0, Math.min(pieceBytes, sizeBytes))
  out.ascii(`{${sizeBytes}}\r\n`)
  for (let at = 0; ; ) {
    out.bytes(withoutNul(piece))
    at += pieceBytes
    if (at >= sizeBytes) return
    await out.drain()
    await connection.breathe()
    piece = await content.read(at, Math.min(at + pieceBytes, sizeBytes))
  }
}

/** RFC 5524 §3: the part without its transfer encoding; NIL where that is not known. What is no part has none. */
async function writeBinary({ out }: Session, content: UrlContent): Promise<void> {
  const { section, message, partial } = content
  const part = section?.kind === 'BODY' ? findSection(message.parts, section.path, 'BODY') : undefined
  if (part && !isEncodingKnown(part.encoding)) {
    out.ascii('NIL')
    return
  }
  let bytes: Buffer
  if (part) {
    const decoded = decodeTransfer(await message.readBytes(part.start, part.end), part.encoding)
    const { start, end } = cut(0, decoded.length, partial)
    bytes = decoded.subarray(start, end)
  } else bytes = await content.read(0, content.sizeBytes)
  if (bytes.length === 0) out.ascii('""')
  else out.literal(bytes, bytes.includes(0))
}

/** The body structure of the part that the URL names; NIL where it names none. */
async function writeStructure({ out }: Session, { section, message }: UrlContent): Promise<void> {
  if (section !== undefined && section.kind !== 'BODY') {
    out.ascii('NIL')
    return
  }
  const whole = parseMessage(await message.readBytes(0, message.sizeBytes))
  const part = findPartAt(whole, section?.path ?? [])
  if (part) out.bytes(Buffer.from(writeBodyStructure(part, true), 'latin1'))
  else out.ascii('NIL')
}

/** The part of a path as FETCH counts them (RFC 9051 §6.4.5.1). */
function findPartAt(root: Part, path: readonly number[]): Part | undefined {
  let part: Part | undefined = root
  for (const number of path) {
    // Inside a message/rfc822 the numbers are those of the message in it.
    const container: Part | undefined =
      part?.type === 'message' && part.children[0]?.type === 'multipart' ? part.children[0] : part
    if (container?.type === 'multipart' || container?.type === 'message')
      part = container.children[number - 1]
    else part = number === 1 && container === root ? root : undefined
  }
  return part
}
