// BDAT. RFC 3030 §2, §3.
import { limits } from '../../base/limits.ts'
import { SmtpSyntaxError } from '../../smtp/mailbox.ts'
import { SmtpRefusal, type SmtpReply } from '../../smtp/reply.ts'
import { command, everyService } from '../command.ts'
import { finishMessage } from '../finish-message.ts'
import { Intake } from '../intake.ts'
import type { Session } from '../session.ts'

interface BdatArgs {
  readonly chunkBytes: number
  readonly isLast: boolean
}

export const bdat = command<BdatArgs>({
  name: 'BDAT',
  services: everyService,
  // In every state: the chunk follows whatever the answer is.
  states: ['connected', 'idle', 'mail', 'chunking'],
  parse(text) {
    const match = /^(\d{1,15})(?: +(LAST))? *$/i.exec(text)
    // Where the size is not known the stream is lost; the line limit and the bad-command limit end it.
    if (!match) throw new SmtpSyntaxError('BDAT takes a size and LAST')
    return { chunkBytes: Number(match[1]), isLast: match[2] !== undefined }
  },
  async run(session, { chunkBytes, isLast }): Promise<SmtpReply | undefined> {
    const { connection, context } = session
    connection.setDeadline(context.config.smtp.dataTimeoutSeconds * 1000)
    const refusal = refuseChunk(session)
    if (refusal) {
      if (chunkBytes > limits.smtp.droppedBytes)
        throw new SmtpRefusal(421, '4.7.0', refusal.reply.text as string)
      // RFC 3030 §2: the chunk is taken and dropped before the answer.
      await connection.readTo(chunkBytes, () => undefined)
      throw refusal
    }
    const { state } = session
    if (state.state !== 'mail' && state.state !== 'chunking')
      throw new SmtpRefusal(503, '5.5.1', 'MAIL first')
    const intake = (state.state === 'chunking' ? state.intake : undefined) ?? new Intake(session, state)
    session.enter({ ...state, state: 'chunking', intake })
    await connection.readTo(chunkBytes, chunk => {
      intake.takeChunk(chunk)
      return intake.settle()
    })
    if (!isLast) return acceptChunk(session, intake, chunkBytes)
    intake.endChunks()
    try {
      return await finishMessage(session, state, intake)
    } finally {
      intake.discard()
      session.reset()
    }
  },
})

/** Why a chunk can't be taken, if so. */
function refuseChunk({ state }: Session): SmtpRefusal | undefined {
  if (state.state !== 'mail' && state.state !== 'chunking') return new SmtpRefusal(503, '5.5.1', 'MAIL first')
  if (state.transaction.recipients.length === 0) return new SmtpRefusal(554, '5.5.1', 'No valid recipients')
  // RFC 3030 §2: after a failure only RSET helps.
  if (state.state === 'chunking' && !state.intake) return new SmtpRefusal(503, '5.5.1', 'RSET is wanted')
  return undefined
}

function acceptChunk(session: Session, intake: Intake, chunkBytes: number): SmtpReply {
  const { state } = session
  if (intake.refusal && state.state === 'chunking') {
    session.enter({ ...state, intake: undefined })
    throw intake.refusal
  }
  return { code: 250, status: '2.0.0', text: `${chunkBytes} bytes taken` }
}
