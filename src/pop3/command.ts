// What a command is. RFC 1939 §3; RFC 2449 §3.
import type { Awaitable } from '../base/awaitable.ts'
import type { Maildrop } from './maildrop.ts'
import type { Session } from './session.ts'

/** The state in which a command may be given. */
export type CommandState = 'authorization' | 'transaction' | 'any'

export interface Command {
  readonly name: string
  readonly state: CommandState
  /** Parses the arguments (all behind the first space, undefined when there is none), then runs. Throws `Pop3Error`. */
  readonly run: (session: Session, args: Buffer | undefined) => Awaitable<void>
}

/** `parse` is pure and throws `Pop3Error`; `run` answers through the session. */
export function command<Args>(definition: {
  readonly name: string
  readonly state: 'authorization' | 'any'
  readonly parse: (args: Buffer | undefined) => Args
  readonly run: (session: Session, args: Args) => Awaitable<void>
}): Command {
  const { name, state, parse, run } = definition
  return { name, state, run: (session, args) => run(session, parse(args)) }
}

/** A command of the TRANSACTION state, which has a maildrop. */
export function maildropCommand<Args>(definition: {
  readonly name: string
  readonly parse: (args: Buffer | undefined) => Args
  readonly run: (session: Session, maildrop: Maildrop, args: Args) => Awaitable<void>
}): Command {
  const { name, parse, run } = definition
  return {
    name,
    state: 'transaction',
    run: (session, args) => run(session, session.getMaildrop(), parse(args)),
  }
}
