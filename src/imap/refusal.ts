// Any failure as what the client is told. RFC 9051 §7.1; RFC 5530.
import { randomUUID } from 'node:crypto'
import { LoginError } from '../account/login-error.ts'
import { assertNever } from '../base/assert.ts'
import { StoreError } from '../store/error.ts'
import { ImapError, no } from './error.ts'
import type { Session } from './session.ts'

/** The refusal for `error`. What is not meant for a client is logged, and he gets SERVERBUG with a number that finds it. */
export function refusalOf(error: unknown, session: Session): ImapError {
  if (error instanceof ImapError) return error
  if (error instanceof StoreError) return storeRefusal(error, session)
  if (error instanceof LoginError) return loginRefusal(error)
  return bugRefusal(error, session)
}

function bugRefusal(error: unknown, session: Session): ImapError {
  const trace = randomUUID()
  const cause = error instanceof Error ? error : new Error(String(error))
  session.context.log.error(
    { trace, connection: session.connection.id, error: cause },
    'an IMAP command failed',
  )
  session.context.metrics.count('imap_bugs')
  return no('SERVERBUG', `That is a fault of this server; its number is ${trace}`)
}

function storeRefusal(error: StoreError, session: Session): ImapError {
  switch (error.code) {
    case 'no-such-mailbox':
      return no('NONEXISTENT', 'There is no such mailbox')
    case 'mailbox-exists':
    case 'exists':
      return no('ALREADYEXISTS', 'There is a mailbox of that name')
    case 'mailbox-has-children':
      return no('HASCHILDREN', 'The mailbox has others below it')
    case 'invalid-name':
      return no('CANNOT', `That name can't be used: ${error.message}`)
    case 'special-use-taken':
      return no('USEATTR', 'Another mailbox has that use')
    case 'over-quota':
      return no('OVERQUOTA', 'The account is over its quota: delete something first')
    case 'too-many':
      return no('LIMIT', error.message)
    case 'no-such-message':
    case 'no-such-body':
      return no('EXPUNGEISSUED', 'Some of the messages are gone')
    case 'not-found':
      return no('NONEXISTENT', 'There is no such thing')
    case 'in-use':
    case 'loop':
      return no('CANNOT', error.message)
    case 'no-such-account':
      return no('UNAVAILABLE', 'The account is gone')
    case 'disk-full':
      return no('UNAVAILABLE', 'The disk is full; nothing was changed, try again later')
    case 'unavailable':
      return no('UNAVAILABLE', 'The store is not available now; try again in a minute')
    case 'corrupt':
      session.context.log.error({ connection: session.connection.id, error }, 'the store holds damaged data')
      return no('CORRUPTION', 'The stored message is damaged; tell the administrator')
    default:
      return assertNever(error.code)
  }
}

/** One answer for all that a guesser should not tell apart (RFC 9051 §11.7). */
function loginRefusal(error: LoginError): ImapError {
  switch (error.code) {
    case 'bad-credentials':
    case 'disabled':
      return no('AUTHENTICATIONFAILED', 'The name or the password is wrong')
    case 'scope':
      return no('AUTHORIZATIONFAILED', 'That password is not for IMAP')
    case 'limited':
      return no('UNAVAILABLE', 'Too many failed attempts; wait a little, then try again')
    case 'needs-tls':
      return no('PRIVACYREQUIRED', 'Use STARTTLS first')
    case 'unavailable':
      return no('UNAVAILABLE', "Log-ins can't be checked now; try again in a minute")
    case 'cancelled':
      return new ImapError('BAD', undefined, 'authentication was cancelled')
    case 'malformed':
      return new ImapError('BAD', undefined, 'the response does not follow the mechanism')
    case 'too-many-sessions':
      return no('LIMIT', 'This account has too many sessions open')
    case 'unknown-mechanism':
      return no('CANNOT', 'There is no such mechanism here')
    default:
      return assertNever(error.code)
  }
}
