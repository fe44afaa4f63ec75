// One IMAP session from greeting to farewell. RFC 9051 §3, §5, §7.
//
// Every error becomes a reply here and nowhere else. A session never rejects because of what a client did, and no other session notices.
import { isHttpRequestLine } from '../net/listener.ts'
import type { Identity } from '../account/identity.ts'
import { isConnectionError } from '../net/connection-error.ts'
import type { Connection } from '../net/connection.ts'
import { limits } from '../base/limits.ts'
import { announcedCapabilities } from './capabilities.ts'
import type { BoundCommand, Command, Completion } from './command.ts'
import { findCommand, findUidCommand } from './commands.ts'
import { findCommandRights } from './command-rights.ts'
import { deselect } from './deselect.ts'
import { bad, ImapError, uidRequired } from './error.ts'
import { type CommandInput, discardLiterals } from './input/command-input.ts'
import { Parser } from './input/parser.ts'
import { readCommand } from './input/read-command.ts'
import { checkSelected } from './mailbox-access.ts'
import { tellNews, watchNews } from './news.ts'
import { complete, Pipeline, refuse, tellOrPart, withProgress } from './pipeline.ts'
import { refusalOf } from './refusal.ts'
import { type ImapContext, Session } from './session.ts'

/** Serves one client until he or the server ends it; one who is known already, as `identity`, need not log in (RFC 9051 §7.1.4). Never rejects because of the peer. */
export async function serveImap(
  connection: Connection,
  context: ImapContext,
  identity?: Identity,
): Promise<void> {
  const session = new Session(connection, context)
  if (identity) session.state = { kind: 'authenticated', identity }
  let isWaiting = false
  const pipeline = new Pipeline(session, error => {
    if (error !== undefined) endOnError(session, error)
    else if (isWaiting && connection.isStopping) sayBye(session, session.farewell)
  })
  connection.onShutdown(() => {
    // Between commands the farewell goes out at once; a command that runs is finished first.
    if (isWaiting && pipeline.isEmpty) sayBye(session, session.farewell)
    else connection.wake()
  })
  try {
    connection.setDeadline(context.config.imap.loginTimeoutMs)
    session.out
      .line(
        `* ${identity ? 'PREAUTH' : 'OK'} [CAPABILITY ${announcedCapabilities(session)}] ${context.hostname} Restante ready`,
      )
      .send()
    let badCommands = 0
    const onRead = () => {
      isWaiting = false
    }
    while (session.state.kind !== 'logout') {
      if (connection.isStopping) {
        await pipeline.drained()
        sayBye(session, session.farewell)
        break
      }
      if (session.state.kind !== 'notAuthenticated') connection.setDeadline(context.config.imap.idleTimeoutMs)
      isWaiting = !connection.hasBufferedInput
      if (session.notifications) {
        await pipeline.drained()
        await tellWhileWaiting(session)
      }
      if (connection.isStopping) continue
      const input = await nextInput(session, pipeline, onRead)
      const outcome = typeof input === 'string' ? input : await runCommand(session, pipeline, input)
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
    isWaiting = false
    // Who has said all he had to say still gets his answers.
    await pipeline.drained().catch(() => {})
    await release(session)
    connection.close()
  }
}

/** After NOTIFY the client hears of events also between commands (RFC 5465 §3.1). */
async function tellWhileWaiting(session: Session): Promise<void> {
  const { connection, context, out } = session
  // NOTIFY listens to the accounts that it is about; the selected mailbox may be of another.
  const unwatch =
    session.state.kind === 'selected' && session.state.view.isGuest ? watchNews(session) : undefined
  try {
    for (;;) {
      const event = await connection.waitForInput(context.config.imap.keepAliveMs)
      if (event === 'input' || event === 'end' || connection.isStopping) return
      await tellNews(session, session.notifications?.selected?.isDelayed === false)
      out.send()
    }
  } finally {
    unwatch?.()
  }
}

/** `begun`: the pipeline answers it. */
type Outcome = 'done' | 'begun' | 'bad' | 'ended'

/** The next command to be run, or how what was read has ended already. */
async function nextInput(
  session: Session,
  pipeline: Pipeline,
  onRead: () => void,
): Promise<CommandInput | Outcome> {
  const { connection } = session
  let read: Awaited<ReturnType<typeof readCommand>>
  try {
    read = await readCommand(session)
    onRead()
  } catch (error) {
    if (!isConnectionError(error, 'LineTooLong')) throw error
    await connection.skipLine()
    await pipeline.drained()
    session.respond('*', 'BAD', 'TOOBIG', 'The line is too long')
    session.out.send()
    return 'bad'
  }
  if (!read) return 'ended'
  if (read.kind === 'refused') {
    await pipeline.drained()
    reply(session, read.tag, read.error)
    return read.error.status === 'BAD' ? 'bad' : 'done'
  }
  return read.input
}

async function runCommand(session: Session, pipeline: Pipeline, input: CommandInput): Promise<Outcome> {
  let tag = '*'
  let bound: BoundCommand | undefined
  let isBegun = false
  try {
    const parser = new Parser(input)
    tag = readTag(parser, input)
    const found = readName(parser)
    const { command } = found
    // What another command may change must have been changed.
    if (!command.canBegin) await pipeline.drained()
    checkState(session, command)
    // RFC 9586 §3.1: what has a UID form is refused without.
    const isUidOnly = session.has('UIDONLY')
    if (isUidOnly && command.uid === 'also' && !found.uid) throw uidRequired()
    const binding = command.bind(parser, { tag, uid: found.uid, session })
    bound = binding instanceof Promise ? await binding : binding
    await checkSelectedRights(session, pipeline, command)
    if (isUidOnly && bound.usesSequence) throw uidRequired()
    const { usesSequence, step } = bound
    const name = found.uid ? `UID ${command.name}` : command.name
    session.context.metrics.count('imap_commands', { command: command.name })
    if (step.kind === 'begin') {
      if (!pipeline.isEmpty && step.isAmbiguous(session)) await pipeline.drained()
      const end = () => discardLiterals(input)
      await pipeline.begin({ tag, name, command, usesSequence, end }, () => step.begin(session))
      isBegun = true
      return 'begun'
    }
    await pipeline.drained()
    const completion: Completion = (await withProgress(session, command, tag, step.run(session))) ?? {}
    const farewell = completion.isUpToDate === true ? undefined : await tellOrPart(session, !usesSequence)
    complete(session, tag, name, completion)
    if (farewell) throw farewell
    await completion.afterwards?.()
    return 'done'
  } catch (error) {
    await pipeline.drained()
    const refusal = await refuse(session, tag, error, () =>
      tellOrPart(session, bound !== undefined && !bound.usesSequence),
    )
    return refusal.status === 'BAD' ? 'bad' : 'done'
  } finally {
    if (!isBegun) discardLiterals(input)
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

/** What a guest may do in the selected mailbox is looked at for each command (RFC 4314 §5.1.1). */
async function checkSelectedRights({ state }: Session, pipeline: Pipeline, { name }: Command): Promise<void> {
  if (state.kind !== 'selected' || !state.view.isGuest) return
  const needed = findCommandRights(name)
  if (needed?.selected === undefined && needed?.selectedOneOf === undefined) return
  await pipeline.drained()
  await state.view.refresh()
  checkSelected(state.view.rights, needed)
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
