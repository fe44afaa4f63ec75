// Sends a message or its top, stuffed, under back-pressure. RFC 1939 §5, §7, §11; RFC 6856 §2.1.
import type { Awaitable } from '../base/awaitable.ts'
import type { BlobHash } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { StoreError } from '../store/error.ts'
import { DotStuffer } from './dot-stuffing.ts'
import { Pop3Error } from './error.ts'
import type { Maildrop } from './maildrop.ts'
import type { Session } from './session.ts'
import { hasUtf8Header, surrogateOf } from './surrogate.ts'
import { TopLines } from './top-lines.ts'

/** Answers RETR (`lines` undefined) or TOP. No promise is made where the body is small and the back-end needs none. */
export function sendMessage(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
): Awaitable<void> {
  let hash: Awaitable<BlobHash | undefined>
  try {
    hash = maildrop.findBody(session.context.store, position)
  } catch (error) {
    return refuse(error)
  }
  if (hash instanceof Promise)
    return hash.then(later => send(session, maildrop, position, lines, later), refuse)
  return send(session, maildrop, position, lines, hash)
}

function send(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
  hash: BlobHash | undefined,
): Awaitable<void> {
  // Somebody else has removed it since log-in.
  if (hash === undefined) throw new Pop3Error(texts => texts.noSuchMessage)
  const sizeBytes = maildrop.sizeAt(position)
  if (sizeBytes > limits.pop3.wholeBodyBytes) return sendLarge(session, maildrop, position, lines, hash)
  const body = readBody(session, maildrop, hash, 0, sizeBytes)
  if (body instanceof Promise) return body.then(later => sendSmall(session, maildrop, position, lines, later))
  return sendSmall(session, maildrop, position, lines, body)
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
  return connection.drain()
}

/** A large message goes in pieces, so that a slow client holds one piece and not the message. */
async function sendLarge(
  session: Session,
  maildrop: Maildrop,
  position: number,
  lines: number | undefined,
  hash: BlobHash,
): Promise<void> {
  const { connection } = session
  const sizeBytes = maildrop.sizeAt(position)
  const pieceBytes = limits.pop3.pieceBytes
  const readAt = (start: number) =>
    readBody(session, maildrop, hash, start, Math.min(sizeBytes, start + pieceBytes))
  // The first piece holds the header, and the answer waits for it: after `+OK` there is no way to say no.
  const first = await readAt(0)
  const head = presentable(session, first)
  answer(session, maildrop, position, lines, sizeBytes - first.length + head.length)
  const stuffer = new DotStuffer()
  const topLines = lines === undefined ? undefined : new TopLines(lines)
  const write = async (chunk: Buffer) => {
    for (const piece of stuffer.stuff(topLines?.take(chunk) ?? chunk)) connection.write(piece)
    await connection.drain()
    await connection.breathe()
  }
  await write(head)
  for (let start = first.length; start < sizeBytes && topLines?.isDone !== true; start += pieceBytes) {
    await write(await readRest(session, () => readAt(start)))
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
  { context }: Session,
  maildrop: Maildrop,
  hash: BlobHash,
  start: number,
  end: number,
): Awaitable<Buffer> {
  try {
    const body = context.store.readBody(maildrop.account, hash, start, end)
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
