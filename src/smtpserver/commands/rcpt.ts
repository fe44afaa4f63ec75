// RCPT. RFC 5321 §4.1.1.3, §3.4, §3.6.1, §4.5.3.1.10; RFC 3461 §4; RFC 6531 §3.5; RFC 2033.
import type { AccountId } from '../../base/ids.ts'
import type { FoundRecipient } from '../../account/recipient-cache.ts'
import type { Recipient } from '../../account/resolve-recipient.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import { formatMailbox, isAscii, type Mailbox, parsePath, SmtpSyntaxError } from '../../smtp/mailbox.ts'
import { parseRcptParameters, type RcptParameters } from '../../smtp/parameters.ts'
import { SmtpRefusal, type SmtpReply } from '../../smtp/reply.ts'
import { findRoom } from '../../store/read/room.ts'
import { command, everyService } from '../command.ts'
import type { Session } from '../session.ts'
import type { Transaction } from '../state.ts'
import { pathStart } from './mail.ts'

interface RcptArgs {
  readonly recipient: Mailbox
  readonly parameters: RcptParameters
}

export const rcpt = command<RcptArgs>({
  name: 'RCPT',
  services: everyService,
  states: ['mail'],
  parse(text) {
    const { mailbox, end } = parsePath(text, pathStart(text, 'TO:'))
    if (!mailbox) throw new SmtpSyntaxError('A recipient is wanted')
    return { recipient: mailbox, parameters: parseRcptParameters(text.slice(end)) }
  },
  run(session, args): Awaitable<SmtpReply> {
    const transaction = transactionOf(session)
    // RFC 5321 §4.5.3.1.10: 452, so that the client sends the rest in another transaction.
    if (transaction.recipients.length >= limits.smtp.recipients)
      throw new SmtpRefusal(452, '4.5.3', 'Too many recipients, send the message again to the others')
    const address = formatMailbox(args.recipient)
    // RFC 6531 §3.5: 553 5.6.7.
    if (!isAscii(address) && !transaction.parameters.smtpUtf8)
      throw new SmtpRefusal(553, '5.6.7', 'An internationalized address needs SMTPUTF8')
    const found = session.context.directory.recipients.find(address)
    return found instanceof Promise
      ? found.then(one => judge(session, args, one))
      : judge(session, args, found)
  },
})

function judge(
  session: Session,
  args: RcptArgs,
  { resolved, hasQuota }: FoundRecipient,
): Awaitable<SmtpReply> {
  if (resolved.kind === 'unknown') {
    if (session.service === 'smtp' && !session.isTrusted) session.countUnknownRecipient()
    throw new SmtpRefusal(550, '5.1.1', 'Nobody here has this address')
  }
  if (resolved.kind === 'relay' && !session.mayRelay)
    throw new SmtpRefusal(550, '5.7.1', 'Mail for that domain is not taken here')
  if (resolved.kind !== 'accounts' || resolved.forwards.length > 0 || !hasQuota)
    return accept(session, args, resolved)
  const accounts = resolved.accounts.map(({ account }) => account)
  const sizeBytes = transactionOf(session).parameters.sizeBytes ?? 0
  return checkRoom(session, accounts, sizeBytes).then(() => accept(session, args, resolved))
}

function accept(session: Session, { recipient, parameters }: RcptArgs, resolved: Recipient): SmtpReply {
  transactionOf(session).recipients.push({ recipient, resolved, ...parameters })
  return { code: 250, status: '2.1.5', text: 'OK' }
}

function transactionOf(session: Session): Transaction {
  if (session.state.state !== 'mail') throw new SmtpRefusal(503, '5.5.1', 'MAIL first')
  return session.state.transaction
}

/** Refuses here a recipient whose mailboxes are all full: later it would take a bounce. */
async function checkRoom(session: Session, accounts: readonly AccountId[], sizeBytes: number): Promise<void> {
  const { store, directory, config } = session.context
  let isTooLarge = true
  for (const account of accounts) {
    const room = await findRoom(store.reader, account, directory.config.quota)
    if (room.freeMessages >= 1 && room.freeBytes >= Math.max(1, sizeBytes)) return
    isTooLarge &&= sizeBytes > room.quotaBytes
  }
  // RFC 1870 §6.2: what can never fit is refused for good.
  if (isTooLarge) throw new SmtpRefusal(552, '5.2.3', 'The message is larger than the mailbox may ever be')
  throw config.smtp.overQuota === 'never'
    ? new SmtpRefusal(552, '5.2.2', 'The mailbox is full')
    : new SmtpRefusal(452, '4.2.2', 'The mailbox is full')
}
