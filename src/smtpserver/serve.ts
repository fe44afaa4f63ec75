// Runs one session of SMTP, submission or LMTP from greeting to farewell. RFC 5321 §3.1, §4.2, §4.3; RFC 2033; RFC 2920 (pipelining); RFC 6409.
//
// Invariants:
// - Replies to the commands of one input chunk leave in one write, in order (the connection gathers them).
// - Only this file turns errors into replies. A peer's doing never rejects the promise.
// - A line is a command only if it ended in CRLF and holds no control character.
import type { Awaitable } from '../base/awaitable.ts'
import { limits } from '../base/limits.ts'
import type { Connection } from '../net/connection.ts'
import { isConnectionError } from '../net/connection-error.ts'
import { isAscii, SmtpSyntaxError } from '../smtp/mailbox.ts'
import { UnknownParameterError } from '../smtp/parameters.ts'
import { encodeReply, type SmtpReply, SmtpRefusal } from '../smtp/reply.ts'
import { StoreError } from '../store/error.ts'
import type { Command } from './command.ts'
import { findCommand } from './command-table.ts'
import type { SmtpContext, SmtpService } from './context.ts'
import { Session } from './session.ts'
import { storeRefusal } from '../delivery/store-refusal.ts'

/** Verbs of HTTP that are none of ours: a browser was sent here (ALPACA). It gets no answer that it could be fooled with. */
const httpVerbs = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PRI',
])

/** Receives mail from other servers (port 25) until the session ends. Never rejects because of what the peer did. */
export function serveSmtp(connection: Connection, context: SmtpContext): Promise<void> {
  return serve(connection, context, 'smtp')
}

/** Takes mail from users (ports 587 and 465), as `serveSmtp` does. */
export function serveSubmission(connection: Connection, context: SmtpContext): Promise<void> {
  return serve(connection, context, 'submission')
}

/** Takes mail for local delivery (LMTP), as `serveSmtp` does. */
export function serveLmtp(connection: Connection, context: SmtpContext): Promise<void> {
  return serve(connection, context, 'lmtp')
}

async function serve(connection: Connection, context: SmtpContext, service: SmtpService): Promise<void> {
  const session = new Session(connection, context, service)
  const log = context.log.child({ connection: connection.id, service })
  let isWaiting = false
  connection.onShutdown(() => {
    if (isWaiting) sayFarewell(connection, farewellOf(connection))
  })
  try {
    context.metrics.count('smtp_connections_total', { service })
    if (!(await greet(session))) return
    let badCommands = 0
    while (!connection.isClosed) {
      if (connection.isStopping) return sayFarewell(connection, farewellOf(connection))
      connection.setDeadline(context.config.smtp.commandTimeoutSeconds * 1000)
      isWaiting = true
      const awaited = readCommand(connection)
      const line = awaited instanceof Promise ? await awaited : awaited
      isWaiting = false
      if (line === undefined) return
      const answered = line === 'too-long' ? lineTooLong : dispatch(session, line)
      const reply = answered instanceof Promise ? await answered : answered
      if (reply === 'close') return connection.destroy()
      if (reply === undefined) {
        badCommands = 0
        continue
      }
      connection.write(encodeReply(reply))
      if (reply.code === 221 || reply.code === 421) return connection.close()
      // 500 to 504 are what a client gets that does not speak the protocol.
      badCommands = reply.code >= 500 && reply.code <= 504 ? badCommands + 1 : 0
      if (badCommands >= limits.smtp.badCommands) return sayFarewell(connection, tooManyErrors)
    }
  } catch (error) {
    if (isConnectionError(error, 'DeadlineExceeded')) {
      sayFarewell(connection, timedOut)
    } else if (isConnectionError(error)) {
      connection.close()
    } else {
      log.error({ err: asError(error) }, 'SMTP session failed')
      sayFarewell(connection, serverBug)
    }
  } finally {
    session.enter({ state: 'connected' })
  }
}

const shuttingDown: SmtpReply = { code: 421, status: '4.3.2', text: 'Closing down, come again' }
const accountChanged: SmtpReply = {
  code: 421,
  status: '4.7.0',
  text: 'Your account or its password has changed, log in again',
}
const timedOut: SmtpReply = { code: 421, status: '4.4.2', text: 'Too slow' }
const tooManyErrors: SmtpReply = { code: 421, status: '4.7.0', text: 'Too many errors' }
const serverBug: SmtpReply = { code: 421, status: '4.3.0', text: 'Internal error' }
const lineTooLong: SmtpReply = { code: 500, status: '5.5.6', text: 'The line is too long' }
const unknownCommand: SmtpReply = { code: 500, status: '5.5.1', text: 'Unknown command' }

function farewellOf({ stopReason }: Connection): SmtpReply {
  return stopReason === 'account' ? accountChanged : shuttingDown
}

function sayFarewell(connection: Connection, reply: SmtpReply): void {
  connection.write(encodeReply(reply))
  connection.close()
}

/** The greeting, RFC 5321 §3.1. False when the client is not served. */
async function greet(session: Session): Promise<boolean> {
  const { connection, context, service } = session
  const { hostname, config } = context
  if (service === 'lmtp' && !connection.isLoopback && !session.isIn(config.smtp.lmtpNetworks)) {
    refuseService(connection, '5.7.1', 'LMTP is not for you')
    return false
  }
  const isStranger = service === 'smtp' && !connection.isLoopback && !session.isTrusted && !connection.secure
  if (isStranger) {
    // RFC 5321 §4.3.1: a client waits for the greeting. One that does not is a machine that sends blindly.
    const event = await connection.waitForInput(config.smtp.greetingDelayMs)
    if (event === 'end') return false
    if (event === 'input') {
      context.metrics.count('smtp_early_talkers_total')
      refuseService(connection, '5.5.1', 'You talk before you are greeted')
      return false
    }
  }
  connection.write(
    encodeReply({ code: 220, text: `${hostname} ${service === 'lmtp' ? 'LMTP' : 'ESMTP'} Restante` }),
  )
  return true
}

/** RFC 5321 §3.1: 554 in place of 220. */
function refuseService(connection: Connection, status: string, text: string): void {
  sayFarewell(connection, { code: 554, status, text })
}

/** The next line; 'too-long' for one that was skipped; undefined at the end. */
function readCommand(connection: Connection): Awaitable<Buffer | 'too-long' | undefined> {
  try {
    const line = connection.readLine(limits.smtp.authLineBytes)
    return line instanceof Promise ? line.catch(error => skipLongLine(connection, error)) : line
  } catch (error) {
    return skipLongLine(connection, error)
  }
}

async function skipLongLine(connection: Connection, error: unknown): Promise<'too-long' | undefined> {
  if (!isConnectionError(error, 'LineTooLong')) throw error
  return (await connection.skipLine()) ? 'too-long' : undefined
}

function dispatch(session: Session, line: Buffer): Awaitable<SmtpReply | 'close' | undefined> {
  const { connection, service } = session
  if (connection.lineEnding === 'lf') return { code: 500, status: '5.5.2', text: 'A line ends in CR and LF' }
  const text = line.toString('utf8')
  const space = text.indexOf(' ')
  const verb = (space === -1 ? text : text.slice(0, space)).toUpperCase()
  if (httpVerbs.has(verb)) return 'close'
  if (line.length > limits.smtp.commandLineBytes && verb !== 'AUTH') return lineTooLong
  if (/[\x00-\x1f\x7f]/.test(text))
    return { code: 500, status: '5.5.2', text: 'A control character in a command' }
  // RFC 6531 §3.3: what is not ASCII is UTF-8. U+FFFD stands where it was not.
  if (text.includes('\ufffd') && !isAscii(text)) return { code: 501, status: '5.5.2', text: 'Not UTF-8' }
  const command = findCommand(verb)
  if (!command?.services.includes(service)) return unknownCommand
  return execute(session, command, space === -1 ? '' : text.slice(space + 1))
}

function execute(session: Session, command: Command, text: string): Awaitable<SmtpReply | undefined> {
  try {
    if (!command.states.includes(session.state.state)) throw outOfSequence(session, command)
    // RFC 4954 §6, RFC 6409 §4.3.
    if (command.needsLogin && session.service === 'submission' && !session.identity && !session.isTrusted)
      throw new SmtpRefusal(530, '5.7.0', 'Log in first')
    const reply = command.execute(session, text)
    return reply instanceof Promise ? reply.catch(error => replyTo(session, command, error)) : reply
  } catch (error) {
    return replyTo(session, command, error)
  }
}

function outOfSequence(session: Session, { name }: Command): SmtpRefusal {
  switch (session.state.state) {
    case 'connected':
      return new SmtpRefusal(503, '5.5.1', `${session.service === 'lmtp' ? 'LHLO' : 'EHLO'} first`)
    case 'idle':
      return new SmtpRefusal(503, '5.5.1', 'MAIL first')
    case 'mail':
    case 'chunking':
      return new SmtpRefusal(503, '5.5.1', `${name} may not stand within a mail transaction`)
  }
}

/** The one place that tells a peer what went wrong. */
function replyTo(session: Session, command: Command, error: unknown): SmtpReply {
  if (error instanceof SmtpRefusal) return error.reply
  if (error instanceof UnknownParameterError) return { code: 555, status: '5.5.4', text: error.message }
  if (error instanceof SmtpSyntaxError) return { code: 501, status: '5.5.4', text: error.message }
  if (error instanceof StoreError) {
    session.context.log.warn(
      { connection: session.connection.id, command: command.name, err: error },
      'store refused',
    )
    return storeRefusal(error.code).reply
  }
  if (isConnectionError(error)) throw error
  session.context.log.error(
    { connection: session.connection.id, command: command.name, err: asError(error) },
    'SMTP command failed',
  )
  return { code: 451, status: '4.3.0', text: 'Internal error, try again' }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
