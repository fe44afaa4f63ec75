// MAIL. RFC 5321 §4.1.1.2; RFC 1870 §6; RFC 6152; RFC 6531 §3.4; RFC 3030; RFC 3461 §4; RFC 4954 §5; RFC 6409 §4.2, §6.1.
import { formatMailbox, isAscii, type Mailbox, parsePath, SmtpSyntaxError } from '../../smtp/mailbox.ts'
import { type MailParameters, parseMailParameters } from '../../smtp/parameters.ts'
import { SmtpRefusal } from '../../smtp/reply.ts'
import { command, everyService } from '../command.ts'
import type { Session } from '../session.ts'

interface MailArgs {
  readonly mailFrom: Mailbox | undefined
  readonly parameters: MailParameters
}

export const mail = command<MailArgs>({
  name: 'MAIL',
  services: everyService,
  states: ['idle'],
  needsLogin: true,
  parse(text) {
    const start = pathStart(text, 'FROM:')
    const { mailbox, end } = parsePath(text, start)
    if (mailbox?.domain === '') throw new SmtpSyntaxError('The address has no domain')
    return { mailFrom: mailbox, parameters: parseMailParameters(text.slice(end)) }
  },
  run(session, args) {
    const { mailFrom, parameters } = args
    const { maxMessageBytes } = session.context.config.smtp
    // RFC 1870 §6.1.
    if ((parameters.sizeBytes ?? 0) > maxMessageBytes)
      throw new SmtpRefusal(552, '5.3.4', `At most ${maxMessageBytes} bytes are taken`)
    // RFC 6531 §3.5: 550 5.6.7.
    if (mailFrom && !isAscii(formatMailbox(mailFrom)) && !parameters.smtpUtf8)
      throw new SmtpRefusal(550, '5.6.7', 'An internationalized address needs SMTPUTF8')
    const { identity, context } = session
    if (mailFrom && identity && context.config.smtp.sender === 'own')
      return checkOwner(session, mailFrom, args)
    return begin(session, args)
  },
})

/** Where the path of `FROM:<…>` or `TO:<…>` begins. A space behind the colon is outside the grammar, and met so often that all servers take it. */
export function pathStart(text: string, keyword: 'FROM:' | 'TO:'): number {
  if (text.slice(0, keyword.length).toUpperCase() !== keyword)
    throw new SmtpSyntaxError(`${keyword}<address> is wanted`)
  let start = keyword.length
  while (text[start] === ' ') start++
  return start
}

/** RFC 6409 §6.1: a user sends under the account's own addresses: those whose mail comes to it. */
async function checkOwner(session: Session, mailFrom: Mailbox, args: MailArgs) {
  const { resolved } = await session.context.directory.recipients.find(formatMailbox(mailFrom))
  const isOwn =
    resolved.kind === 'accounts' &&
    resolved.accounts.some(({ account }) => account === session.identity?.account)
  if (!isOwn) throw new SmtpRefusal(550, '5.7.1', 'This sender address is not yours')
  return begin(session, args)
}

function begin(session: Session, { mailFrom, parameters }: MailArgs) {
  const { state } = session
  if (state.state !== 'idle') throw new SmtpRefusal(503, '5.5.1', 'Not now')
  const id = session.nextTransaction()
  session.enter({ ...state, state: 'mail', transaction: { id, mailFrom, parameters, recipients: [] } })
  return { code: 250, status: '2.1.0', text: 'OK' } as const
}
