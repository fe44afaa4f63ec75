// AUTH with any SASL mechanism and an initial response. RFC 5034 (from what is known of it); RFC 4422; RFC 2449 §6.3.
import { authenticate, mechanisms } from '../../account/authenticate.ts'
import { LoginError } from '../../account/login-error.ts'
import { limits } from '../../base/limits.ts'
import { isConnectionError } from '../../net/connection-error.ts'
import { readInitialResponse, readResponse, type SaslResponse } from '../../sasl/base64-response.ts'
import { words } from '../arguments.ts'
import { command } from '../command.ts'
import { bad } from '../error.ts'
import { openMaildrop } from '../open-maildrop.ts'
import type { Session } from '../session.ts'

export const auth = command({
  name: 'AUTH',
  state: 'authorization',
  parse(args) {
    const [mechanism, initialResponse, ...rest] = words(args)
    if (rest.length > 0) throw bad(texts => texts.syntax)
    return { mechanism, initialResponse }
  },
  async run(session, { mechanism, initialResponse }) {
    const { context, peer } = session
    if (mechanism === undefined) {
      listMechanisms(session)
      return
    }
    await openMaildrop(session, async () => {
      const first = initialResponse === undefined ? undefined : dataOf(readInitialResponse(initialResponse))
      return authenticate(context.login, peer, mechanism, first, challenge => ask(session, challenge))
    })
  },
})

/** AUTH alone asks for the mechanisms, as several clients do: a habit from before CAPA. */
function listMechanisms(session: Session): void {
  session.ok(texts => texts.mechanisms)
  const names = mechanisms(session.context.login, session.peer)
  session.connection.write([...names, '.', ''].join('\r\n'))
}

async function ask(session: Session, challenge: Buffer): Promise<Buffer> {
  session.connection.write(`+ ${challenge.toString('base64')}\r\n`)
  const line = await readAnswer(session)
  if (line === undefined) throw new LoginError('cancelled', 'the connection ended')
  return dataOf(readResponse(line))
}

async function readAnswer(session: Session): Promise<Buffer | undefined> {
  const { connection } = session
  try {
    const next = connection.readLine(limits.pop3.authLineBytes)
    return next instanceof Promise ? await session.nextLine(next) : next
  } catch (error) {
    if (!isConnectionError(error, 'LineTooLong')) throw error
    await connection.skipLine()
    throw new LoginError('malformed', 'the answer is too long')
  }
}

function dataOf(response: SaslResponse): Buffer {
  switch (response.kind) {
    case 'response':
      return response.data
    case 'cancelled':
      throw new LoginError('cancelled', 'the client gave up')
    case 'malformed':
      throw new LoginError('malformed', 'not base64')
  }
}
