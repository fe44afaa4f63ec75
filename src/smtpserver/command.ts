// What a command is: its name, where it may stand, its grammar and what it does. RFC 5321 §4.1.
import type { Awaitable } from '../base/awaitable.ts'
import type { SmtpReply } from '../smtp/reply.ts'
import type { SmtpService } from './context.ts'
import type { Session } from './session.ts'
import type { StateName } from './state.ts'

export interface CommandSpec<Name extends string, Args> {
  readonly name: Name
  readonly services: readonly SmtpService[]
  /** Where it may stand; elsewhere it is out of sequence (503). */
  readonly states: readonly StateName[]
  /** Whether a submission session must have logged in. */
  readonly needsLogin?: boolean
  /** Pure. `text` is what follows the name and a space. Throws SmtpSyntaxError and SmtpRefusal. */
  readonly parse: (text: string) => Args
  /** Does it and gives the answer, undefined when it has written its own. Throws SmtpRefusal. */
  readonly run: (session: Session, args: Args) => Awaitable<SmtpReply | undefined>
}

export interface Command {
  readonly name: string
  readonly services: readonly SmtpService[]
  readonly states: readonly StateName[]
  readonly needsLogin: boolean
  /** Parses, then runs. */
  readonly execute: (session: Session, text: string) => Awaitable<SmtpReply | undefined>
}

export function command<Args>(spec: CommandSpec<string, Args>): Command {
  return {
    name: spec.name,
    services: spec.services,
    states: spec.states,
    needsLogin: spec.needsLogin ?? false,
    execute: (session, text) => spec.run(session, spec.parse(text)),
  }
}

export const everyService: readonly SmtpService[] = ['smtp', 'submission', 'lmtp']
export const everyState: readonly StateName[] = ['connected', 'idle', 'mail', 'chunking']
