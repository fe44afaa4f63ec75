// The message that APPEND and REPLACE take: a literal, UTF8 (~{…}), or CATENATE (…). RFC 9051 §6.3.12; RFC 4466 (append-data); RFC 4469; RFC 6855 §4.
import type { AccountId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { unpackParts } from '../message/sections.ts'
import { summarizeInSteps } from '../message/summary.ts'
import { type FlagSet, noFlags } from '../store/flags.ts'
import { findRoom } from '../store/read/room.ts'
import type { MessageAnnotation } from '../store/message-annotations.ts'
import { StoreError } from '../store/error.ts'
import type { MutationArgs } from '../store/mutations.ts'
import type { StagedBody } from '../store/store.ts'
import type { LiteralPlace } from './command.ts'
import { bad, no } from './error.ts'
import { checkSizes, parseAnnotations } from './annotation/annotation-list.ts'
import { checkParts } from './annotation/check-parts.ts'
import { parseFlags } from './flags.ts'
import type { LiteralHead } from './input/command-input.ts'
import type { Parser } from './input/parser.ts'
import type { Session } from './session.ts'
import { rightsFor } from './command-rights.ts'
import { checkSelected, getTarget, type VisibleMailbox } from './mailbox-access.ts'
import { parseImapUrl } from './url/imap-url.ts'
import { findUrlMailbox, openUrl } from './url/url-content.ts'

/** Bytes that the client sent, staged. */
interface SentText {
  readonly kind: 'text'
  readonly body: StagedBody
  /** literal8: may hold NUL. */
  readonly isBinary: boolean
  /** `UTF8 (…)`: the client says that header fields hold UTF-8. */
  readonly isUtf8: boolean
}

/** A message or a part of one that is here already. */
interface UrlText {
  readonly kind: 'url'
  readonly url: string
}

export interface AppendedMessage {
  readonly flags: FlagSet
  readonly receivedAt: number | undefined
  readonly annotations: readonly MessageAnnotation[]
  /** Behind one another they are the message. */
  readonly pieces: readonly (SentText | UrlText)[]
}

type NewMessage = MutationArgs<'appendMessages'>['messages'][number]

/** `[flags] [date] [ANNOTATION (…)] data`. */
export function parseAppendedMessage(parser: Parser): AppendedMessage {
  let flags = noFlags
  let receivedAt: number | undefined
  if (parser.isListNext) {
    flags = parseFlags(parser.list(() => parser.flag()))
    parser.sp()
  }
  if (parser.peek('"')) {
    receivedAt = parser.dateTime()
    parser.sp()
  }
  let annotations: readonly MessageAnnotation[] = []
  // RFC 5257 §4.7.
  if (parser.takeKeyword('ANNOTATION')) {
    parser.sp()
    annotations = parseAnnotations(parser)
    parser.sp()
  }
  const options = { flags, receivedAt, annotations }
  if (parser.takeKeyword('UTF8')) return { ...options, pieces: [parseUtf8(parser)] }
  if (!parser.takeKeyword('CATENATE')) return { ...options, pieces: [parseText(parser)] }
  parser.sp()
  const pieces = parser.list(() => parsePiece(parser))
  if (pieces.length === 0) throw bad('CATENATE takes at least one part')
  return { ...options, pieces }
}

function parsePiece(parser: Parser): SentText | UrlText {
  const kind = parser.keyword()
  if (kind === 'UTF8') return parseUtf8(parser)
  parser.sp()
  if (kind === 'TEXT') return parseText(parser)
  if (kind !== 'URL') throw bad('CATENATE takes TEXT, UTF8 and URL')
  return { kind: 'url', url: parser.astringBytes().toString('latin1') }
}

function parseText(parser: Parser): SentText {
  const literal = parser.literal()
  if (literal.kind !== 'staged') throw bad('the message comes after the name of the mailbox')
  return { kind: 'text', body: literal.body, isBinary: literal.binary, isUtf8: false }
}

/** ` (~{n})`, RFC 6855 §4. */
function parseUtf8(parser: Parser): SentText {
  parser.sp()
  parser.expect('(')
  const text = parseText(parser)
  parser.expect(')')
  if (!text.isBinary) throw bad('UTF8 takes a literal8')
  return { ...text, isUtf8: true }
}

/** Asked before each literal behind the mailbox's name: everything that can be refused is refused before the client sends a message for nothing. */
export async function acceptMessageLiteral(
  session: Session,
  parser: Parser,
  head: LiteralHead,
  name: string,
  command: 'APPEND' | 'REPLACE',
): Promise<LiteralPlace> {
  const { lastText } = parser
  // A URL may come as a literal, too, and so may the name and the value of an annotation.
  if (/[( ]URL $|[( ]value\.(?:priv|shared) $|[ )]ANNOTATION \($/i.test(lastText)) return 'memory'
  const { messageBytes } = session.context.config.imap
  const isCatenated = /[( ]TEXT $|[( ]UTF8 \($/i.test(lastText)
  const before = isCatenated ? parser.stagedBytesSince('CATENATE (') : 0
  if (before + head.sizeBytes > messageBytes) throw tooBig(messageBytes)
  // RFC 3502 §6.3.11: the client has changed its mind. A part of CATENATE may be empty.
  if (head.sizeBytes === 0 && !isCatenated)
    throw no(undefined, 'An empty message is not kept; nothing was appended')
  const literalBytes = parser.stagedBytes + head.sizeBytes
  // It is on its way already: whether it is taken is looked at when it is here.
  if (head.nonSynchronizing && literalBytes <= limits.imap.unaskedBytes) return 'store'
  const { account } = await getTarget(session, name, command)
  // REPLACE makes room by itself.
  if (command === 'APPEND') await checkRoom(session, account, literalBytes)
  return 'store'
}

/** RFC 9208 §4.3.1: refused before it is sent, where that can be known. The store says so again when the message is kept. */
async function checkRoom({ store, context }: Session, account: AccountId, sizeBytes: number): Promise<void> {
  const { bytes = null, messages = null } = context.config.quota ?? {}
  const { freeBytes, freeMessages } = await findRoom(store.reader, account, { bytes, messages })
  if (sizeBytes > freeBytes || freeMessages < 1)
    throw no('OVERQUOTA', 'The account is over its quota: delete something first')
}

/** RFC 5257 §3.4: annotations that all see need a right of their own. Throws NO [NOPERM]. */
export function checkAnnotationRights(target: VisibleMailbox, messages: readonly AppendedMessage[]): void {
  const hasShared = messages.some(({ annotations }) => annotations.some(({ isShared }) => isShared))
  if (hasShared) checkSelected(target.rights, rightsFor('STORE ANNOTATION'))
}

/** Messages ready for the store. Call `discard` when they are stored, or were refused. */
export interface MadeMessages {
  readonly rows: readonly NewMessage[]
  readonly discard: () => void
}

/** Puts messages together. */
export async function makeMessages(
  session: Session,
  messages: readonly AppendedMessage[],
): Promise<MadeMessages> {
  const catenated: StagedBody[] = []
  const discard = () => {
    for (const body of catenated) body.discard()
  }
  try {
    const rows: NewMessage[] = []
    for (const message of messages) {
      const [first, ...more] = message.pieces
      let body: StagedBody
      if (first?.kind === 'text' && more.length === 0) body = first.body
      else {
        body = session.store.stageBody()
        catenated.push(body)
        await catenate(session, message, body)
      }
      rows.push(await readMessage(session, message, body))
      await session.connection.breathe()
    }
    return { rows, discard }
  } catch (error) {
    discard()
    throw error
  }
}

async function readMessage(
  session: Session,
  message: AppendedMessage,
  body: StagedBody,
): Promise<NewMessage> {
  const ref = await body.finish()
  const bytes = await body.bytes()
  if (bytes.length === 0) throw no(undefined, 'An empty message is not kept; nothing was appended')
  const [first] = message.pieces
  if (message.pieces.length === 1 && first?.kind === 'text' && !first.isBinary && bytes.includes(0))
    throw bad('a message with NUL comes in a literal8')
  const email = await summarizeInSteps(bytes)
  checkSizes(message.annotations)
  checkParts(message.annotations, unpackParts(email.parts))
  checkHeader(session, message, bytes.subarray(0, email.headerBytes))
  return {
    body: ref,
    email,
    flags: message.flags,
    ...(message.annotations.length > 0 && { annotations: message.annotations, viewer: session.account }),
    ...(message.receivedAt !== undefined && { receivedAt: message.receivedAt }),
  }
}

/**
 * RFC 6855 §4: 8-bit header fields are for clients that have enabled UTF8=ACCEPT. What says UTF8 is held to that always; other messages, of which old
 * mail has many with raw 8-bit fields, only where the administrator wants it.
 */
function checkHeader(session: Session, { pieces }: AppendedMessage, header: Buffer): void {
  if (session.has('UTF8=ACCEPT')) return
  const saysUtf8 = pieces.some(piece => piece.kind === 'text' && piece.isUtf8)
  if (!saysUtf8 && !session.context.config.imap.strictUtf8) return
  for (const byte of header) {
    if (byte >= 0x80) throw no('CANNOT', 'Header fields in UTF-8 need ENABLE UTF8=ACCEPT first')
  }
}

/** Writes the pieces one behind the other. */
async function catenate(session: Session, { pieces }: AppendedMessage, body: StagedBody): Promise<void> {
  const { messageBytes } = session.context.config.imap
  for (const piece of pieces) {
    if (piece.kind === 'url') await copyUrl(session, piece.url, body, messageBytes)
    else {
      await piece.body.finish()
      const bytes = await piece.body.bytes()
      if (body.sizeBytes + bytes.length > messageBytes) throw tooBig(messageBytes)
      if (bytes.length > 0) await body.write(bytes)
    }
  }
}

async function copyUrl(
  session: Session,
  text: string,
  body: StagedBody,
  messageBytes: number,
): Promise<void> {
  const content = await openOwnUrl(session, text)
  if (!content) throw badUrl(text)
  if (body.sizeBytes + content.sizeBytes > messageBytes) throw tooBig(messageBytes)
  const { pieceBytes } = limits.imap
  for (let at = 0; at < content.sizeBytes; at += pieceBytes) {
    try {
      await body.write(await content.read(at, Math.min(at + pieceBytes, content.sizeBytes)))
    } catch (error) {
      if (error instanceof StoreError && error.code === 'no-such-body') throw badUrl(text)
      throw error
    }
    await session.connection.breathe()
  }
}

/** RFC 4469 §3: relative URLs of the client's own messages only. */
async function openOwnUrl(session: Session, text: string) {
  const url = parseImapUrl(text)
  if (!url || url.server || url.authorization) return undefined
  const selected = session.state.kind === 'selected' ? session.state.view.mailbox.name : undefined
  const name = url.mailbox === undefined ? selected : resolveName(url.mailbox, url.isAbsolutePath, selected)
  if (name === undefined) return undefined
  const mailbox = await findUrlMailbox(session, name, url)
  return mailbox && openUrl(session.store, mailbox, url)
}

/** RFC 3986 §5.2: a relative path stands beside the last segment of the base, which is the selected mailbox. */
function resolveName(name: string, isAbsolute: boolean, selected: string | undefined): string {
  const parent = isAbsolute || selected === undefined ? '' : selected.slice(0, selected.lastIndexOf('/') + 1)
  return parent + name
}

function badUrl(text: string) {
  // RFC 4469 §5: anything but "]" and line ends may stand in the response code.
  const shown = text.replace(/[^\x20-\x5c\x5e-\x7e]/g, '?')
  return no(`BADURL "${shown}"`, 'That URL names nothing here; nothing was appended')
}

function tooBig(messageBytes: number) {
  return no('TOOBIG', `Messages can have up to ${messageBytes} bytes`)
}
