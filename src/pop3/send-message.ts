// Sends a message or its top, stuffed, under back-pressure. RFC 1939 §5, §7, §11; RFC 6856 §2.1.
import type { Awaitable } from '../base/awaitable.ts'
import type { BlobHash } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { StoreError } from '../store/error.ts'
import type { StoredBody } from '../store/read/message-bodies.ts'
import { DotStuffer } from './dot-stuffing.ts'
import { Pop3Error } from './error.ts'
import type { Maildrop } from './maildrop.ts'
import type { Session } from './session.ts'
import { hasUtf8Header, surrogateOf } from './surrogate.ts'
import { TopLines } from './top-lines.ts'

/** What is larger goes out of a buffer that is used again. */
const smallBytes = 16 * 1024

/** Answers RETR (`lines` undefined) or TOP. No promise is made where the body is small and the back-end needs none. */
export function sendMessage(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
): Awaitable<void> {
  let body: Awaitable<StoredBody | undefined>
  try {
    body = maildrop.findBody(session.context.store, position)
  } catch (error) {
    return refuse(error)
  }
  if (body instanceof Promise)
    return body.then(later => send(session, maildrop, position, lines, later), refuse)
  return send(session, maildrop, position, lines, body)
}

function send(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
  body: StoredBody | undefined,
): Awaitable<void> {
  // Somebody else has removed it since log-in.
  if (body === undefined) throw new Pop3Error(texts => texts.noSuchMessage)
  const sizeBytes = maildrop.sizeAt(position)
  if (sizeBytes > limits.pop3.wholeBodyBytes) return sendLarge(session, maildrop, position, lines, body)
  const stored = readBody(session, maildrop, body, 0, sizeBytes)
  if (stored instanceof Promise)
    return stored.then(later => sendSmall(session, maildrop, position, lines, later))
  return sendSmall(session, maildrop, position, lines, stored)
}

function sendSmall(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
  stored: Buffer,
): Awaitable<void> {
  const { connection } = session
  const body = presentable(session, stored)
  const stuffer = new DotStuffer()
  answer(session, maildrop, position, lines, body.length)
  const part = lines === undefined ? body : new TopLines(lines).take(body)
  for (const piece of stuffer.stuff(part)) connection.write(piece)
  connection.write(stuffer.end())
  giveBack(session, stored)
  return connection.drain()
}

/** Gives back what large `bytes` were read into, when all is sent. */
function giveBack({ connection, context }: Session, bytes: Buffer): void {
  if (bytes.length <= smallBytes) return
  connection.flush()
  if (connection.outputBytes === 0) context.pieces.give(bytes)
}

/** A large message goes in pieces, so that a slow client holds one piece and not the message. */
async function sendLarge(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
  body: StoredBody,
): Promise<void> {
  const { connection } = session
  const sizeBytes = maildrop.sizeAt(position)
  const stepBytes = limits.pop3.pieceBytes
  const readAt = (start: number) =>
    readBody(session, maildrop, body, start, Math.min(sizeBytes, start + stepBytes))
  // The first piece holds the header, and the answer waits for it: after `+OK` there is no way to say no.
  const first = await readAt(0)
  const head = presentable(session, first)
  answer(session, maildrop, position, lines, sizeBytes - first.length + head.length)
  const stuffer = new DotStuffer()
  const topLines = lines === undefined ? undefined : new TopLines(lines)
  const write = async (chunk: Buffer, read: Buffer) => {
    for (const piece of stuffer.stuff(topLines?.take(chunk) ?? chunk)) connection.write(piece)
    await connection.drain()
    giveBack(session, read)
    await connection.breathe()
  }
  await write(head, first)
  for (let start = first.length; start < sizeBytes && topLines?.isDone !== true; start += stepBytes) {
    const rest = await readRest(session, () => readAt(start))
    await write(rest, rest)
  }
  connection.write(stuffer.end())
}

/** What this client may see of a message that begins with `bytes`. RFC 6856 §2.1, §5. */
function presentable({ isUtf8, context }: Session, bytes: Buffer): Buffer {
  const { utf8Headers } = context.config.pop3
  if (isUtf8 || utf8Headers === 'as-is') return bytes
  if (utf8Headers === 'surrogate') return surrogateOf(bytes)
  if (hasUtf8Header(bytes)) throw new Pop3Error(texts => texts.needsUtf8, { code: 'UTF8' })
  return bytes
}

function answer(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
  bytes: number,
): void {
  if (lines === undefined) {
    maildrop.markRetrieved(position)
    session.ok(texts => texts.octets(bytes))
  } else session.ok(texts => texts.topFollows)
}

/** A body that went between the look-up and the read was removed. */
function readBody(
  { connection, context }: Session,
  maildrop: Maildrop,
  { hash, location }: StoredBody,
  start: number,
  end: number,
): Awaitable<Buffer> {
  const { store, pieces } = context
  try {
    const copy = location && store.openBody?.(hash, location, end)
    if (copy) {
      const count = end - start
      // A client who does not read is not to hold much more memory than he was written bytes.
      const isPiece = count > smallBytes && connection.outputBytes === 0
      const bytes = isPiece ? pieces.take().subarray(0, count) : Buffer.allocUnsafe(count)
      if (copy(start, end, bytes, 0)) return bytes
    }
    const name = Buffer.from(hash).toString('hex') as BlobHash
    const body = store.readBody(maildrop.account, name, start, end)
    return body instanceof Promise ? body.catch((error: unknown) => refuse(error)) : body
  } catch (error) {
    return refuse(error)
  }
}

function refuse(error: unknown): never {
  if (error instanceof StoreError && (error.code === 'no-such-body' || error.code === 'no-such-mailbox')) {
    throw new Pop3Error(texts => texts.noSuchMessage, { cause: error })
  }
  throw error
}

/** In the middle of an answer the only honest end is to break off, so that the client does not take half for the whole. */
async function readRest(session: Session, read: () => Awaitable<Buffer>): Promise<Buffer> {
  try {
    return await read()
  } catch (error) {
    session.context.log.error({ err: error as Error }, 'POP3: a message could not be read to its end')
    session.connection.destroy()
    throw error
  }
}
