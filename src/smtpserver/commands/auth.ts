// AUTH. RFC 4954.
import { authenticate } from '../../account/authenticate.ts'
import { LoginError } from '../../account/login-error.ts'
import { assertNever } from '../../base/assert.ts'
import { limits } from '../../base/limits.ts'
import { isConnectionError } from '../../net/connection-error.ts'
import { SmtpSyntaxError } from '../../smtp/mailbox.ts'
import { SmtpRefusal } from '../../smtp/reply.ts'
import { command } from '../command.ts'
import type { Session } from '../session.ts'

export const auth = command({
  name: 'AUTH',
  services: ['smtp', 'submission'],
  states: ['connected', 'idle', 'mail', 'chunking'],
  parse(text) {
    const [mechanism = '', initial, ...more] = text.split(' ')
    if (!/^[A-Za-z0-9_-]{1,20}$/.test(mechanism) || more.length > 0)
      throw new SmtpSyntaxError('AUTH takes a mechanism and an initial response')
    return { mechanism: mechanism.toUpperCase(), initial }
  },
  async run(session, { mechanism, initial }) {
    const { state } = session
    const { config } = session.context
    if (session.service === 'smtp' && !config.smtp.authOnReceivingPort)
      throw new SmtpRefusal(502, '5.5.1', 'Log in on the submission port')
    // RFC 4954 §4: not within a transaction, and once in a session.
    if (state.state === 'connected') throw new SmtpRefusal(503, '5.5.1', 'EHLO first')
    if (state.state !== 'idle') throw new SmtpRefusal(503, '5.5.1', 'Not within a mail transaction')
    if (state.identity) throw new SmtpRefusal(503, '5.5.1', 'You are logged in already')
    try {
      const identity = await authenticate(
        session.context.login,
        session.loginPeer,
        mechanism,
        initial === undefined ? undefined : decode(initial),
        challenge => ask(session, challenge),
      )
      session.context.login.sessions.open(identity, session.connection)
      session.enter({ ...state, identity })
      return { code: 235, status: '2.7.0', text: 'Welcome' }
    } catch (error) {
      if (!(error instanceof LoginError)) throw error
      session.context.log.info(
        {
          connection: session.connection.id,
          address: session.connection.remoteAddress,
          code: error.code,
          mechanism,
        },
        'log-in refused',
      )
      if (error.code === 'bad-credentials' || error.code === 'limited') session.countAuthFailure()
      throw refusalOf(error)
    }
  },
})

/** Sends a challenge and gives the client's decoded answer. RFC 4954 §4. */
async function ask({ connection }: Session, challenge: Buffer): Promise<Buffer> {
  connection.write(`334 ${challenge.toString('base64')}\r\n`)
  const line = await readResponse(connection)
  if (line === undefined) throw new LoginError('cancelled', 'the connection ended')
  if (line === '*') throw new LoginError('cancelled', 'the client gave up')
  return decode(line)
}

async function readResponse(connection: Session['connection']): Promise<string | undefined> {
  try {
    return (await connection.readLine(limits.smtp.authLineBytes))?.toString('latin1')
  } catch (error) {
    if (!isConnectionError(error, 'LineTooLong')) throw error
    await connection.skipLine()
    // RFC 4954 §4: 500 5.5.6.
    throw new SmtpRefusal(500, '5.5.6', 'The response is too long', { cause: error })
  }
}

/** Strict base64; `=` is the empty response (RFC 4954 §4). */
function decode(text: string): Buffer {
  if (text === '=' || text === '') return Buffer.alloc(0)
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text))
    throw new LoginError('malformed', 'not base64')
  return Buffer.from(text, 'base64')
}

/** RFC 4954 §6; RFC 5248. */
function refusalOf(error: LoginError): SmtpRefusal {
  const refuse = (code: number, status: string, text: string) =>
    new SmtpRefusal(code, status, text, { cause: error })
  switch (error.code) {
    case 'bad-credentials':
      return refuse(535, '5.7.8', 'Wrong name or password')
    case 'limited':
      return refuse(454, '4.7.0', 'Too many failures, try again later')
    case 'disabled':
      return refuse(525, '5.7.13', 'The account is disabled')
    case 'needs-tls':
      return refuse(538, '5.7.11', 'TLS first')
    case 'cancelled':
      return refuse(501, '5.7.0', 'Cancelled')
    case 'malformed':
      return refuse(501, '5.5.2', 'Malformed')
    case 'too-many-sessions':
      return refuse(454, '4.7.0', 'The account has too many sessions open')
    case 'unavailable':
      return refuse(454, '4.7.0', 'Log-in is not possible now')
    case 'unknown-mechanism':
      return refuse(504, '5.5.4', 'Unknown mechanism')
    case 'scope':
      return refuse(535, '5.7.8', 'This password is not for sending mail')
    default:
      return assertNever(error.code)
  }
}
