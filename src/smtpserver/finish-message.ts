// The end of a message: the last checks, delivery, and the answer or answers. RFC 5321 §4.1.1.4, §4.2.5, §6.3; RFC 2033 §4.2.
import { deliver, takeOver } from '../delivery/deliver.ts'
import type { Letter, Outcome } from '../delivery/letter.ts'
import { storeRefusal } from '../delivery/store-refusal.ts'
import { limits } from '../base/limits.ts'
import { isConnectionError } from '../net/connection-error.ts'
import { fieldValues } from '../message/header.ts'
import { encodeReply, SmtpRefusal, type SmtpReply } from '../smtp/reply.ts'
import { StoreError } from '../store/error.ts'
import type { Intake, InTransaction, TakenMessage } from './intake.ts'
import type { Session } from './session.ts'

/** The reply of SMTP; LMTP's, one for each recipient, are written here. The message is committed before either. */
export function finishMessage(
  session: Session,
  state: InTransaction,
  intake: Intake,
): Promise<SmtpReply | undefined> {
  const { sizeBytes } = intake
  if (sizeBytes <= limits.smtp.smallMessageBytes) return finishAny(session, state, intake)
  return session.context.largeMessages.run(sizeBytes, () => finishAny(session, state, intake))
}

async function finishAny(
  session: Session,
  state: InTransaction,
  intake: Intake,
): Promise<SmtpReply | undefined> {
  if (session.service !== 'lmtp') return finish(session, state, intake)
  const replies = await repliesOf(session, state, intake)
  session.connection.write(replies.map(encodeReply).join(''))
  return undefined
}

async function finish(session: Session, state: InTransaction, intake: Intake): Promise<SmtpReply> {
  const letter = letterOf(state, await intake.finish())
  const { recipients } = state.transaction
  const outcomes = await deliver(session.context, letter, recipients)
  const refused = outcomes.flatMap((outcome, index) => {
    const addressee = recipients[index]
    return outcome.kind === 'refused' && addressee
      ? [{ addressee, reply: quotaReply(session, outcome.reply) }]
      : []
  })
  logMessage(session, letter, outcomes)
  if (refused.length === recipients.length) {
    // A temporary refusal of one: the client keeps the message and tries again for all.
    const reply = refused.find(({ reply: { code } }) => code < 500)?.reply ?? refused[0]?.reply
    if (reply) return reply
  }
  // RFC 5321 §4.2.5: one answer for all, so who accepts some has to see to the rest.
  if (refused.length > 0) await takeOver(session.context, letter, refused)
  return { code: 250, status: '2.0.0', text: `Taken as ${letter.id}` }
}

/** One reply for each recipient that was accepted, in their order, whatever happens. */
async function repliesOf(
  session: Session,
  state: InTransaction,
  intake: Intake,
): Promise<readonly SmtpReply[]> {
  const { recipients } = state.transaction
  try {
    const letter = letterOf(state, await intake.finish())
    const outcomes = await deliver(session.context, letter, recipients)
    logMessage(session, letter, outcomes)
    return outcomes.map(outcome =>
      outcome.kind === 'accepted'
        ? { code: 250, status: '2.0.0', text: `Delivered as ${letter.id}` }
        : quotaReply(session, outcome.reply),
    )
  } catch (error) {
    const reply = replyOf(session, error)
    return recipients.map(() => reply)
  }
}

function replyOf(session: Session, error: unknown): SmtpReply {
  if (error instanceof SmtpRefusal) return error.reply
  if (isConnectionError(error)) throw error
  if (error instanceof StoreError) return storeRefusal(error.code).reply
  session.context.log.error(
    { connection: session.connection.id, err: error instanceof Error ? error : new Error(String(error)) },
    'delivery failed',
  )
  return { code: 451, status: '4.3.0', text: 'Internal error, try again' }
}

/** Whether a full mailbox is for now or for good is a matter of configuration. */
function quotaReply({ context }: Session, reply: SmtpReply): SmtpReply {
  if (reply.status !== '4.2.2' || context.config.smtp.overQuota === 'later') return reply
  return { ...reply, code: 552, status: '5.2.2' }
}

function letterOf({ transaction, identity }: InTransaction, taken: TakenMessage): Letter {
  // RFC 5321 §6.3: at least 100 Received fields before it is called a loop.
  if (fieldValues(taken.bytes, 'received').length > limits.smtp.receivedFields)
    throw new SmtpRefusal(554, '5.4.6', 'The message goes round in circles')
  const { parameters, mailFrom, id } = transaction
  return {
    ...taken,
    id,
    mailFrom,
    bodyType: parameters.body ?? '7BIT',
    smtpUtf8: parameters.smtpUtf8 === true,
    ret: parameters.ret,
    envelopeId: parameters.envelopeId,
    submitter: identity?.account,
  }
}

function logMessage(
  { context, connection, service }: Session,
  letter: Letter,
  outcomes: readonly Outcome[],
): void {
  const accepted = outcomes.filter(({ kind }) => kind === 'accepted').length
  context.metrics.count('smtp_messages_total', {
    service,
    outcome: accepted > 0 ? 'accepted' : 'refused',
  })
  context.log.info(
    {
      connection: connection.id,
      message: letter.id,
      sizeBytes: letter.bytes.length,
      recipients: outcomes.length,
      accepted,
    },
    'message received',
  )
}
