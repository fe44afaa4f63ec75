// APPEND, of one message or several. RFC 9051 §6.3.12; MULTIAPPEND of RFC 3502; APPENDLIMIT of RFC 7889; literal8 of RFC 3516 §4.4.
import { summarize } from '../../message/summary.ts'
import type { FlagSet } from '../../store/flags.ts'
import { noFlags } from '../../store/flags.ts'
import { findMailbox, type Mailbox } from '../../store/read/mailboxes.ts'
import type { StagedBody } from '../../store/store.ts'
import type { MutationArgs } from '../../store/mutations.ts'
import { command, type Completion, type LiteralPlace, type ParseContext } from '../command.ts'
import { bad, no } from '../error.ts'
import { parseFlags } from '../flags.ts'
import type { LiteralHead } from '../input/command-input.ts'
import type { Parser } from '../input/parser.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import { formatNumbers } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import { mailboxName } from './arguments.ts'

interface AppendMessage {
  readonly flags: FlagSet
  readonly receivedAt: number | undefined
  readonly body: StagedBody
  /** literal8: the message may hold NUL. */
  readonly binary: boolean
}

interface AppendArgs {
  readonly name: string
  readonly messages: readonly AppendMessage[]
}

export const append = command({
  name: 'APPEND',
  state: 'authenticated',
  parse: parseArguments,
  run: appendMessages,
  acceptLiteral,
})

function parseArguments(parser: Parser, context: ParseContext): AppendArgs {
  parser.sp()
  const name = mailboxName(parser, context)
  const messages: AppendMessage[] = []
  do {
    parser.sp()
    messages.push(parseMessage(parser))
  } while (!parser.isAtEnd && parser.peek(' '))
  return { name, messages }
}

function parseMessage(parser: Parser): AppendMessage {
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
  const literal = parser.literal()
  if (literal.kind !== 'staged') throw bad('the message comes after the name of the mailbox')
  return { flags, receivedAt, body: literal.body, binary: literal.binary }
}

/** Asked before each literal: everything that can be refused is refused before the client sends a message for nothing. */
async function acceptLiteral(session: Session, parser: Parser, head: LiteralHead): Promise<LiteralPlace> {
  parser.sp()
  if (parser.isLiteralNext && !parser.hasLiteral) return 'memory'
  const name = decodeMailboxName(parser.astring(), session.usesUtf8Names)
  const { messageBytes } = session.context.config.imap
  if (head.sizeBytes > messageBytes) throw no('TOOBIG', `Messages can have up to ${messageBytes} bytes`)
  // RFC 3502 §6.3.11: the client has changed its mind.
  if (head.sizeBytes === 0) throw no(undefined, 'An empty message is not kept; nothing was appended')
  await findTarget(session, name)
  return 'store'
}

async function findTarget(session: Session, name: string): Promise<Mailbox> {
  const row = await findMailbox(session.store.reader, session.account, name)
  if (!row) throw no('TRYCREATE', 'There is no such mailbox')
  return row
}

/** All of the messages are appended, or none is (RFC 3502 §6.3.11). */
async function appendMessages(session: Session, { name, messages }: AppendArgs): Promise<Completion> {
  const target = await findTarget(session, name)
  const rows: MutationArgs<'appendMessages'>['messages'][number][] = []
  for (const { flags, receivedAt, body, binary } of messages) {
    const ref = await body.finish()
    const bytes = await body.bytes()
    if (!binary && bytes.includes(0)) throw bad('a message with NUL comes in a literal8')
    rows.push({ body: ref, email: summarize(bytes), flags, ...(receivedAt !== undefined && { receivedAt }) })
    await session.connection.breathe()
  }
  const { uidValidity, uids } = await session.store.mutate('appendMessages', {
    account: session.account,
    mailbox: target.id,
    messages: rows,
  })
  return { code: `APPENDUID ${uidValidity} ${formatNumbers(uids)}` }
}
