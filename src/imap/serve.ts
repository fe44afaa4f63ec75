// One IMAP session from greeting to farewell. RFC 9051 §3, §5, §7.
//
// Every error becomes a reply here and nowhere else. A session never rejects because of what a client did, and no other session notices.
import { isHttpRequestLine } from '../net/listener.ts'
import { isConnectionError } from '../net/connection-error.ts'
import type { Connection } from '../net/connection.ts'
import { limits } from '../base/limits.ts'
import { announcedCapabilities } from './capabilities.ts'
import type { BoundCommand, Command, Completion } from './command.ts'
import { findCommand, findUidCommand } from './commands.ts'
import { deselect } from './deselect.ts'
import { bad, ImapError, uidRequired } from './error.ts'
import { type CommandInput, discardLiterals } from './input/command-input.ts'
import { Parser } from './input/parser.ts'
import { readCommand } from './input/read-command.ts'
import { tellNews } from './news.ts'
import { refusalOf } from './refusal.ts'
import { type ImapContext, Session } from './session.ts'

/** Serves one client until he or the server ends it. Never rejects because of the peer. */
export async function serveImap(connection: Connection, context: ImapContext): Promise<void> {
  const session = new Session(connection, context)
  let isWaiting = false
  connection.onShutdown(() => {
    // Between commands the farewell goes out at once; a command that runs is finished first.
    if (isWaiting) sayBye(session, 'The server is going down; come back in a minute')
    else connection.wake()
  })
  try {
    connection.setDeadline(context.config.imap.loginTimeoutMs)
    session.out
      .line(
        `* OK [CAPABILITY ${announcedCapabilities(session).join(' ')}] ${context.hostname} Restante ready`,
      )
      .send()
    let badCommands = 0
    while (session.state.kind !== 'logout') {
      if (connection.isStopping) {
        sayBye(session, 'The server is going down; come back in a minute')
        break
      }
      if (session.state.kind !== 'notAuthenticated') connection.setDeadline(context.config.imap.idleTimeoutMs)
      isWaiting = !connection.hasBufferedInput
      if (session.notifications) await tellWhileWaiting(session)
      if (connection.isStopping) continue
      const outcome = await nextCommand(session, () => {
        isWaiting = false
      })
      if (outcome === 'ended') break
      badCommands = outcome === 'bad' ? badCommands + 1 : 0
      if (badCommands >= limits.imap.badCommands) {
        sayBye(session, 'Too many commands that make no sense')
        break
      }
    }
  } catch (error) {
    endOnError(session, error)
  } finally {
    await release(session)
    connection.close()
  }
}

/** After NOTIFY the client hears of events also between commands (RFC 5465 §3.1). */
async function tellWhileWaiting(session: Session): Promise<void> {
  const { connection, context, out } = session
  for (;;) {
    const event = await connection.waitForInput(context.config.imap.keepAliveMs)
    if (event === 'input' || event === 'end' || connection.isStopping) return
    await tellNews(session, session.notifications?.selected?.isDelayed === false)
    out.send()
  }
}

type Outcome = 'done' | 'bad' | 'ended'

async function nextCommand(session: Session, onRead: () => void): Promise<Outcome> {
  const { connection } = session
  let read: Awaited<ReturnType<typeof readCommand>>
  try {
    read = await readCommand(session)
    onRead()
  } catch (error) {
    if (!isConnectionError(error, 'LineTooLong')) throw error
    await connection.skipLine()
    session.respond('*', 'BAD', 'TOOBIG', 'The line is too long')
    session.out.send()
    return 'bad'
  }
  if (!read) return 'ended'
  if (read.kind === 'refused') {
    reply(session, read.tag, read.error)
    return read.error.status === 'BAD' ? 'bad' : 'done'
  }
  try {
    return await runCommand(session, read.input)
  } finally {
    discardLiterals(read.input)
  }
}

async function runCommand(session: Session, input: CommandInput): Promise<Outcome> {
  let tag = '*'
  let bound: BoundCommand | undefined
  try {
    const parser = new Parser(input)
    tag = readTag(parser, input)
    const found = readName(parser)
    checkState(session, found.command)
    // RFC 9586 §3.1: what has a UID form is refused without.
    const isUidOnly = session.has('UIDONLY')
    if (isUidOnly && found.command.uid === 'also' && !found.uid) throw uidRequired()
    const binding = found.command.bind(parser, { tag, uid: found.uid, session })
    bound = binding instanceof Promise ? await binding : binding
    if (isUidOnly && bound.usesSequence) throw uidRequired()
    const name = found.uid ? `UID ${found.command.name}` : found.command.name
    session.context.metrics.count('imap_commands', { command: found.command.name })
    const completion: Completion = (await runWithProgress(session, found.command, bound, tag)) ?? {}
    const farewell =
      completion.isUpToDate === true ? undefined : await tellOrPart(session, !bound.usesSequence)
    complete(session, tag, name, completion)
    if (farewell) throw farewell
    await completion.afterwards?.()
    return 'done'
  } catch (error) {
    if (isConnectionError(error)) throw error
    const refusal = refusalOf(error, session)
    if (refusal.status === 'BYE') throw refusal
    const farewell = await tellOrPart(session, bound !== undefined && !bound.usesSequence)
    reply(session, tag, refusal)
    if (farewell) throw farewell
    return refusal.status === 'BAD' ? 'bad' : 'done'
  }
}

/** Tells what is new. A farewell that is due is given back: the client must hear first how his command has ended, or he would repeat it elsewhere. */
async function tellOrPart(session: Session, mayExpunge: boolean): Promise<ImapError | undefined> {
  try {
    await tellNews(session, mayExpunge)
    return undefined
  } catch (error) {
    if (error instanceof ImapError && error.status === 'BYE') return error
    throw error
  }
}

/** RFC 9585: a client that waits for long is told so. Commands that report it write nothing in pieces, so a line can stand between any two others. */
async function runWithProgress(
  session: Session,
  { reportsProgress }: Command,
  bound: BoundCommand,
  tag: string,
): Promise<Completion | undefined | void> {
  const pending = bound.run(session)
  if (!reportsProgress || !(pending instanceof Promise)) return pending
  const timer = setInterval(() => {
    session.say(`INPROGRESS ("${tag}" NIL NIL)`, 'Still at it')
    session.out.send()
    session.connection.flush()
  }, session.context.config.imap.progressMs)
  try {
    return await pending
  } finally {
    clearInterval(timer)
  }
}

function readTag(parser: Parser, input: CommandInput): string {
  const line = input.pieces[0]?.text
  if (line && isHttpRequestLine(line)) throw new ImapError('BYE', undefined, 'This is an IMAP server')
  const tag = parser.tag()
  parser.sp()
  return tag
}

function readName(parser: Parser): { readonly command: Command; readonly uid: boolean } {
  const word = parser.keyword()
  if (word !== 'UID') {
    const command = findCommand(word)
    if (!command || command.uid === 'only') throw bad('there is no such command')
    return { command, uid: false }
  }
  parser.sp()
  const command = findUidCommand(parser.keyword())
  if (!command) throw bad('there is no such UID command')
  return { command, uid: true }
}

/** RFC 9051 §3: commands are for certain states. */
function checkState(session: Session, command: Command): void {
  const { kind } = session.state
  switch (command.state) {
    case 'any':
      return
    case 'notAuthenticated':
      if (kind !== 'notAuthenticated') throw bad('you are logged in already')
      return
    case 'authenticated':
      if (kind === 'notAuthenticated') throw bad('log in first')
      return
    case 'selected':
      if (kind === 'notAuthenticated') throw bad('log in first')
      if (kind !== 'selected') throw bad('select a mailbox first')
  }
}

function complete(session: Session, tag: string, name: string, completion: Completion): void {
  session.respond(tag, 'OK', completion.code, completion.text ?? `${name} completed`)
  session.out.send()
}

function reply(session: Session, tag: string, refusal: ImapError): void {
  session.respond(tag, refusal.status, refusal.code, refusal.message)
  session.out.send()
}

function sayBye(session: Session, text: string, code?: string): void {
  session.respond('*', 'BYE', code, text)
  session.out.send()
  session.connection.close()
}

function endOnError(session: Session, error: unknown): void {
  if (isConnectionError(error, 'DeadlineExceeded')) {
    sayBye(session, 'You were silent for too long')
  } else if (isConnectionError(error, 'LineTooLong')) {
    sayBye(session, 'The line has no end', 'TOOBIG')
  } else if (!isConnectionError(error)) {
    const refusal = refusalOf(error, session)
    sayBye(session, refusal.message, refusal.code)
  }
}

async function release(session: Session): Promise<void> {
  session.notifications?.stop()
  try {
    await deselect(session)
  } catch (error) {
    refusalOf(error, session)
  }
}
