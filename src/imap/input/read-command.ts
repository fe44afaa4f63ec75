// Reads one command with its literals from the connection. RFC 9051 §4.3; RFC 7888.
//
// Bounded: a line by limits.imap.lineBytes, all literals in memory by limits.imap.literalBytes. A literal that its command sends to the store is staged.
import { limits } from '../../base/limits.ts'
import type { Command, LiteralPlace } from '../command.ts'
import { findCommand, findUidCommand } from '../commands.ts'
import { bad, bye, ImapError, no, readersOnly } from '../error.ts'
import { refusalOf } from '../refusal.ts'
import type { Session } from '../session.ts'
import {
  type CommandInput,
  discardLiterals,
  findLiteralHead,
  type Literal,
  type LiteralHead,
  type Piece,
} from './command-input.ts'
import { Parser } from './parser.ts'

export type ReadResult =
  | { readonly kind: 'command'; readonly input: CommandInput }
  /** The command was refused before it was whole, and all of it that was coming has been read away. */
  | { readonly kind: 'refused'; readonly tag: string; readonly error: ImapError }

/** The next command, undefined at the end of the connection. Throws ConnectionError, and ImapError BYE where the stream can't be followed any more. */
export async function readCommand(session: Session): Promise<ReadResult | undefined> {
  const read = session.connection.readLine(maxLineBytes(session))
  const line = read instanceof Promise ? await read : read
  if (line === undefined) return undefined
  const head = findLiteralHead(line)
  if (head) return readWithLiterals(session, Buffer.from(line), head)
  return { kind: 'command', input: { pieces: [{ text: line, literal: undefined }] } }
}

/** Strangers are many, so each may make the server hold little. */
function maxLineBytes({ state }: Session): number {
  return state.kind === 'notAuthenticated' ? limits.imap.lineBeforeLoginBytes : limits.imap.lineBytes
}

async function readWithLiterals(
  session: Session,
  line: Buffer,
  firstHead: LiteralHead,
): Promise<ReadResult | undefined> {
  const pieces: Piece[] = [{ text: line, literal: undefined }]
  const input: CommandInput = { pieces }
  const { tag, command } = commandOf(line)
  let textBytes = line.length
  let isWhole = false
  try {
    for (let head: LiteralHead | undefined = firstHead; head; ) {
      if (head.sizeBytes > limits.imap.countableBytes) throw bye('That literal is too large', 'TOOBIG')
      const place = await placeLiteral(session, input, command, head)
      if (place instanceof ImapError) {
        // Told to wait, a client sends nothing after a refusal; else the rest is on its way already (RFC 7888 §4).
        if (head.nonSynchronizing) await discardLiteral(session, head)
        return { kind: 'refused', tag, error: place }
      }
      const literal = await receive(session, head, place)
      if (literal instanceof ImapError) {
        await discardLine(session)
        return { kind: 'refused', tag, error: literal }
      }
      ;(pieces[pieces.length - 1] as Piece).literal = literal
      const next = await session.connection.readLine(maxLineBytes(session))
      if (next === undefined) return undefined
      textBytes += next.length
      if (textBytes > maxLineBytes(session)) throw bye('The command is too long', 'TOOBIG')
      pieces.push({ text: Buffer.from(next), literal: undefined })
      head = findLiteralHead(next)
    }
    isWhole = true
    return { kind: 'command', input }
  } finally {
    if (!isWhole) discardLiterals(input)
  }
}

/** Tag and command, as far as the text before the first literal tells; a command that is not known takes small literals only. */
function commandOf(line: Buffer): { readonly tag: string; readonly command: Command | undefined } {
  const parser = new Parser({ pieces: [{ text: line, literal: undefined }] })
  let tag = '*'
  try {
    tag = parser.tag()
    parser.sp()
    const word = parser.keyword()
    if (word !== 'UID') return { tag, command: findCommand(word) }
    parser.sp()
    return { tag, command: findUidCommand(parser.keyword()) }
  } catch {
    return { tag, command: undefined }
  }
}

/** Where a literal goes, or why it is refused. */
async function placeLiteral(
  session: Session,
  input: CommandInput,
  command: Command | undefined,
  head: LiteralHead,
): Promise<LiteralPlace | ImapError> {
  const isLoggedIn = session.state.kind === 'authenticated' || session.state.kind === 'selected'
  try {
    if (isLoggedIn && command?.acceptLiteral) {
      const place = await command.acceptLiteral(session, argumentsOf(input), head)
      if (place === 'store') {
        if (session.identity.isAnonymous) throw readersOnly()
        const staged = input.pieces.filter(({ literal }) => literal?.kind === 'staged').length
        if (staged >= limits.imap.appendMessages)
          throw no('LIMIT', `One APPEND takes up to ${limits.imap.appendMessages} messages`)
        return place
      }
    }
    let memoryBytes = head.sizeBytes
    for (const { literal } of input.pieces) if (literal?.kind === 'bytes') memoryBytes += literal.sizeBytes
    const bound = isLoggedIn ? limits.imap.literalBytes : limits.imap.literalBeforeLoginBytes
    if (memoryBytes > bound) throw bad('that literal is too large for this command', 'TOOBIG')
    if (input.pieces.length > limits.imap.literals) throw bad('the command has too many literals', 'TOOBIG')
    return 'memory'
  } catch (error) {
    return refusalOf(error, session)
  }
}

/** A parser over what has arrived, behind tag and name. */
function argumentsOf(input: CommandInput): Parser {
  const parser = new Parser(input)
  parser.tag()
  parser.sp()
  if (parser.keyword() === 'UID') {
    parser.sp()
    parser.keyword()
  }
  return parser
}

/** Reads the literal's bytes, all of them whatever happens; the refusal if they could not be kept. */
async function receive(
  session: Session,
  head: LiteralHead,
  place: LiteralPlace,
): Promise<Literal | ImapError> {
  const { connection } = session
  if (!head.nonSynchronizing) session.out.line('+ OK').send()
  if (place === 'memory') {
    return { ...head, kind: 'bytes', bytes: Buffer.from(await connection.readBytes(head.sizeBytes)) }
  }
  const body = session.store.stageBody()
  let failure: ImapError | undefined
  try {
    await connection.readTo(head.sizeBytes, async chunk => {
      if (failure) return
      try {
        await body.write(chunk)
      } catch (error) {
        // The disk is full, say. The rest must still be read, or it would be taken for commands.
        failure = refusalOf(error, session)
      }
    })
  } catch (error) {
    body.discard()
    throw error
  }
  if (!failure) return { ...head, kind: 'staged', body }
  body.discard()
  return failure
}

async function discardLiteral(session: Session, head: LiteralHead): Promise<void> {
  if (head.sizeBytes > limits.imap.discardBytes) throw bye('That literal is too large', 'TOOBIG')
  await session.connection.readTo(head.sizeBytes, () => {})
  await discardLine(session)
}

/** Reads away the rest of a refused command. A literal for which the client waits will not come: it gets the refusal. */
async function discardLine(session: Session): Promise<void> {
  for (;;) {
    const line = await session.connection.readLine(maxLineBytes(session))
    const head = line && findLiteralHead(line)
    if (!head?.nonSynchronizing) return
    if (head.sizeBytes > limits.imap.discardBytes) throw bye('That literal is too large', 'TOOBIG')
    await session.connection.readTo(head.sizeBytes, () => {})
  }
}
