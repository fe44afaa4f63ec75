// DATA. RFC 5321 §4.1.1.4, §4.5.2; RFC 2033 §4.2; RFC 3030 §3.
import { ConnectionError } from '../../net/connection-error.ts'
import { DataReader } from '../../smtp/data-reader.ts'
import { encodeReply, SmtpRefusal } from '../../smtp/reply.ts'
import { command, everyService } from '../command.ts'
import { finishMessage } from '../finish-message.ts'
import { bareNewline, Intake } from '../intake.ts'
import type { Session } from '../session.ts'
import { parseNothing } from './rset.ts'

export const data = command({
  name: 'DATA',
  services: everyService,
  states: ['mail', 'chunking'],
  parse: parseNothing,
  async run(session) {
    const { state } = session
    // RFC 3030 §2: DATA and BDAT do not mix.
    if (state.state !== 'mail') throw new SmtpRefusal(503, '5.5.1', 'BDAT or RSET is wanted')
    const { transaction } = state
    // RFC 5321 §3.3: 503 or 554 without a recipient.
    if (transaction.recipients.length === 0) throw new SmtpRefusal(554, '5.5.1', 'No valid recipients')
    // RFC 3030 §3.
    if (transaction.parameters.body === 'BINARYMIME')
      throw new SmtpRefusal(503, '5.5.1', 'A binary message comes by BDAT')
    session.connection.write(encodeReply(goAhead))
    const intake = new Intake(session, state)
    try {
      await receive(session, intake)
      return await finishMessage(session, state, intake)
    } finally {
      intake.discard()
      session.reset()
    }
  },
})

const goAhead = { code: 354, text: 'Go ahead, and end with a dot on a line' }

/** Reads the content up to CRLF.CRLF. */
async function receive(session: Session, intake: Intake): Promise<void> {
  const { connection, context } = session
  const reader = new DataReader(session.lineRule)
  const take = (piece: Buffer) => intake.take(piece)
  connection.setDeadline(context.config.smtp.dataTimeoutSeconds * 1000)
  for (;;) {
    const awaited = connection.readChunk()
    const chunk = awaited instanceof Promise ? await awaited : awaited
    if (chunk === undefined) throw new ConnectionError('ConnectionClosed', 'the client left within a message')
    const end = reader.push(chunk, take)
    if (reader.fault && session.lineRule === 'note') intake.refuse(bareNewline())
    if (end !== -1) {
      if (end < chunk.length) connection.unread(chunk.subarray(end))
      return
    }
    await intake.settle()
    await connection.breathe()
  }
}
