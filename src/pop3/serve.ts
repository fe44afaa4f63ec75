// One POP3 session from greeting to farewell. RFC 1939 §3, §4; RFC 2449 §3, §4.
//
// Every error becomes an answer here and nowhere else. A session never rejects because of what a client did. Commands that came in one piece are
// answered in one: nothing is awaited between them unless a command itself has to wait.
import { randomUUID } from 'node:crypto'
import { limits } from '../base/limits.ts'
import { isConnectionError } from '../net/connection-error.ts'
import type { Connection } from '../net/connection.ts'
import { isHttpRequestLine } from '../net/listener.ts'
import { StoreError } from '../store/error.ts'
import type { Command } from './command.ts'
import { findCommand } from './commands.ts'
import { bad, Pop3Error } from './error.ts'
import { okLine } from './reply.ts'
import { beforeLogin, type Pop3Context, Session, type State } from './session.ts'

/** Serves one client, from `state` on, until he or the server ends it. Never rejects because of the peer. */
export async function servePop3(
  connection: Connection,
  context: Pop3Context,
  state: State = beforeLogin,
): Promise<void> {
  const session = new Session(connection, context, timestampFor(context), state)
  connection.onShutdown(() => {
    // Between commands the farewell goes out at once; a command that runs is finished first.
    if (session.isWaiting) sayFarewell(session)
  })
  try {
    connection.setDeadline(context.config.pop3.loginTimeoutMs)
    greet(session)
    let badCommands = 0
    while (session.state.kind !== 'ended') {
      if (connection.isStopping) {
        sayFarewell(session)
        break
      }
      const next = nextCommand(session)
      const line = next instanceof Promise ? await next : next
      // A browser that was sent here gets no answer that it could show (ALPACA).
      if (line === undefined || isForAnotherServer(session, line)) break
      if (session.state.kind === 'transaction') connection.setDeadline(context.config.pop3.idleTimeoutMs)
      const outcome = runLine(session, line)
      const isBad = outcome instanceof Promise ? await outcome : outcome
      badCommands = isBad ? badCommands + 1 : 0
      if (badCommands < limits.pop3.badCommands) continue
      session.err(undefined, texts => texts.tooManyErrors)
      break
    }
  } catch (error) {
    endOnError(session, error)
  } finally {
    // Without QUIT nothing is removed (RFC 1939 §6).
    if (session.state.kind === 'transaction') void session.state.release()
    connection.close()
  }
}

/** `<random.clock@hostname>`, where accounts may opt in to APOP. RFC 1939 §7. */
function timestampFor({ login, clock, hostname }: Pop3Context): string | undefined {
  if (!login.config.sharedSecrets) return undefined
  return `<${login.randomBytes(9).toString('hex')}.${clock.now()}@${hostname}>`
}

function greet({ connection, timestamp }: Session): void {
  connection.write(okLine(timestamp === undefined ? 'POP3 server ready' : `POP3 server ready ${timestamp}`))
}

type Line = Buffer | 'too-long' | undefined

/** The next command, without a promise while there is input; undefined at the end. */
function nextCommand(session: Session): Line | Promise<Line> {
  try {
    const next = session.connection.readLine(lineBytes(session))
    return next instanceof Promise ? waitForCommand(session, next) : next
  } catch (error) {
    return skipLongLine(session, error)
  }
}

async function waitForCommand(session: Session, reading: Promise<Buffer | undefined>): Promise<Line> {
  try {
    const line = await session.nextLine(reading)
    if (session.state.kind === 'transaction') session.state.maildrop.beginTurn()
    return line
  } catch (error) {
    return skipLongLine(session, error)
  }
}

async function skipLongLine({ connection }: Session, error: unknown): Promise<Line> {
  if (!isConnectionError(error, 'LineTooLong')) throw error
  return (await connection.skipLine()) ? 'too-long' : undefined
}

function isForAnotherServer({ state }: Session, line: Buffer | 'too-long'): boolean {
  return state.kind === 'authorization' && line !== 'too-long' && isHttpRequestLine(line)
}

/** AUTH may have a long token behind it; other commands are short. */
function lineBytes({ state }: Session): number {
  return state.kind === 'authorization' ? limits.pop3.authLineBytes : limits.pop3.lineBytes
}

/** Whether the command made no sense. */
function runLine(session: Session, line: Buffer | 'too-long'): boolean | Promise<boolean> {
  try {
    if (line === 'too-long') throw bad(texts => texts.lineTooLong)
    const space = line.indexOf(' ')
    const keyword = line.toString('latin1', 0, space === -1 ? line.length : space)
    const command = getCommand(session, keyword, line)
    session.context.metrics.count('pop3_commands', { command: command.name })
    const running = command.run(session, space === -1 ? undefined : line.subarray(space + 1))
    if (running === undefined) return false
    return running.then(
      () => false,
      (error: unknown) => fail(session, error),
    )
  } catch (error) {
    return fail(session, error)
  }
}

/** Throws `Pop3Error` for an unknown keyword, a line that is too long for it, and the wrong state. */
function getCommand(session: Session, keyword: string, line: Buffer): Command {
  const { state } = session
  const pendingUser = state.kind === 'authorization' ? state.user : undefined
  // PASS comes right after USER, or not at all (RFC 1939 §7).
  if (pendingUser !== undefined && keyword.toUpperCase() !== 'PASS') {
    session.state = { kind: 'authorization', user: undefined }
  }
  const command = keyword.length <= 4 ? findCommand(keyword) : undefined
  if (!command) throw bad(texts => texts.unknownCommand)
  if (line.length > limits.pop3.lineBytes && command.name !== 'AUTH') throw bad(texts => texts.lineTooLong)
  if (command.state === 'any' || command.state === state.kind) return command
  throw bad(texts => (command.state === 'transaction' ? texts.logInFirst : texts.loggedInAlready))
}

/** Turns an error into an answer. Whether the command made no sense. Rethrows what ends the session. */
function fail(session: Session, error: unknown): boolean {
  if (isConnectionError(error)) throw error
  if (error instanceof Pop3Error) {
    session.err(error.code, error.text)
    return error.isBad
  }
  const { log } = session.context
  const isTemporary =
    error instanceof StoreError && (error.code === 'unavailable' || error.code === 'disk-full')
  if (isTemporary) {
    log.warn({ err: error, connection: session.connection.id }, 'POP3: the store is not available')
    session.err('SYS/TEMP', texts => texts.unavailable)
    return false
  }
  const trace = randomUUID()
  log.error({ err: error as Error, trace, connection: session.connection.id }, 'POP3: a command failed')
  session.err('SYS/PERM', texts => texts.serverBug(trace))
  return false
}

function sayFarewell(session: Session): void {
  if (session.connection.stopReason === 'account') session.err('AUTH', texts => texts.accountChanged)
  else session.err('SYS/TEMP', texts => texts.shuttingDown)
  if (session.state.kind === 'transaction') void session.state.release()
  session.state = { kind: 'ended' }
  session.connection.close()
}

function endOnError(session: Session, error: unknown): void {
  // RFC 1939 §3: a silent client is left without an answer.
  if (isConnectionError(error)) return
  session.context.log.error(
    { err: error as Error, connection: session.connection.id },
    'POP3: a session failed',
  )
}
