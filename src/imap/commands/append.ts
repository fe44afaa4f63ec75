// APPEND, of one message or several. RFC 9051 §6.3.12; MULTIAPPEND of RFC 3502; APPENDLIMIT of RFC 7889; literal8 of RFC 3516 §4.4;
// CATENATE of RFC 4469; UTF8 of RFC 6855 §4.
import {
  acceptMessageLiteral,
  checkAnnotationRights,
  type AppendedMessage,
  makeMessages,
  parseAppendedMessage,
} from '../append-data.ts'
import { afterChange, type Answer, command, type LiteralPlace, type ParseContext } from '../command.ts'
import type { LiteralHead } from '../input/command-input.ts'
import type { Parser } from '../input/parser.ts'
import { getTarget } from '../mailbox-access.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import { no } from '../error.ts'
import { messageLimitCode, saveLimit } from '../message-limit.ts'
import { formatNumbers } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import { mailboxName } from './arguments.ts'

interface AppendArgs {
  readonly name: string
  readonly messages: readonly AppendedMessage[]
}

export const append = command({
  name: 'APPEND',
  state: 'authenticated',
  reportsProgress: true,
  parse: parseArguments,
  begin: beginAppend,
  acceptLiteral,
})

function parseArguments(parser: Parser, context: ParseContext): AppendArgs {
  parser.sp()
  const name = mailboxName(parser, context)
  const messages: AppendedMessage[] = []
  do {
    parser.sp()
    messages.push(parseAppendedMessage(parser))
  } while (!parser.isAtEnd && parser.peek(' '))
  return { name, messages }
}

async function acceptLiteral(session: Session, parser: Parser, head: LiteralHead): Promise<LiteralPlace> {
  parser.sp()
  if (parser.isLiteralNext && !parser.hasLiteral) return 'memory'
  const name = decodeMailboxName(parser.astring(), session.usesUtf8Names)
  return acceptMessageLiteral(session, parser, head, name, 'APPEND')
}

/** All of the messages are appended, or none is (RFC 3502 §6.3.11). */
async function beginAppend(session: Session, { name, messages }: AppendArgs): Promise<Answer> {
  // RFC 9738 §3.1: all or nothing.
  const most = saveLimit(session)
  if (messages.length > most) throw no(messageLimitCode(most), 'Too many messages at once')
  const target = await getTarget(session, name, 'APPEND')
  checkAnnotationRights(target, messages)
  const { rows, discard } = await makeMessages(session, messages)
  const { account, id: mailbox } = target
  const { account: guest, store } = session
  const change =
    account === guest
      ? store.mutate('appendMessages', { account, mailbox, messages: rows })
      : store.mutate('appendAsGuest', { guest, account, mailbox, messages: rows })
  return afterChange(change.finally(discard), ({ uidValidity, uids }) => {
    session.notifications?.ignoreMessages(target, uids)
    return { code: `APPENDUID ${uidValidity} ${formatNumbers(uids)}` }
  })
}
