// What a command is: a row of the command table. RFC 9051 §6.
import type { Awaitable } from '../base/awaitable.ts'
import type { LiteralHead } from './input/command-input.ts'
import type { Parser } from './input/parser.ts'
import type { Session } from './session.ts'

/** When a command may be given (RFC 9051 §3). `authenticated` covers the selected state. */
export type CommandState = 'any' | 'notAuthenticated' | 'authenticated' | 'selected'

/** The tagged OK: `OK [code] text`. */
export interface Completion {
  readonly code?: string | undefined
  readonly text?: string | undefined
  /** Done when the tagged OK has been written: STARTTLS. */
  readonly afterwards?: (() => Promise<void>) | undefined
}

export interface ParseContext {
  /** Of the command: ESEARCH repeats it (RFC 9051 §7.3.4). */
  readonly tag: string
  /** Given as UID COMMAND. */
  readonly uid: boolean
  readonly session: Session
}

/** Where a literal of a command goes: into memory with the rest, or straight to the store. */
export type LiteralPlace = 'memory' | 'store'

export interface CommandDefinition<Args> {
  readonly name: string
  readonly state: CommandState
  /** Exists as UID NAME: besides NAME, or only so. */
  readonly uid?: 'also' | 'only'
  /**
   * Whether the command or its answer speaks of message numbers, so that EXPUNGE must wait for another command (RFC 9051 §7.5.1). Told after parsing.
   */
  readonly sequence?: 'uses' | ((args: Args, uid: boolean) => boolean)
  /** May take long, and writes nothing before its work is done: the client is told that it goes on (RFC 9585). */
  readonly reportsProgress?: true
  /** Reads the arguments, from the space before them to the end of the command. Pure; throws BAD. */
  parse(parser: Parser, context: ParseContext): Args
  /** Does it. Untagged answers go to `session.out`; refusals are thrown. */
  run(session: Session, args: Args, uid: boolean): Awaitable<Completion | undefined | void>
  /**
   * Asked before a literal is received, with a parser over the arguments so far: where to put it. Throws a refusal, which is then given in place of
   * the leave to continue.
   */
  acceptLiteral?(session: Session, parser: Parser, head: LiteralHead): Awaitable<LiteralPlace>
}

/** A command with its arguments read. */
export interface BoundCommand {
  readonly usesSequence: boolean
  run(session: Session): Awaitable<Completion | undefined | void>
}

/** A row of the table, whatever its arguments are. */
export interface Command {
  readonly name: string
  readonly state: CommandState
  readonly uid: 'also' | 'only' | undefined
  readonly reportsProgress: boolean
  bind(parser: Parser, context: ParseContext): BoundCommand
  readonly acceptLiteral: CommandDefinition<unknown>['acceptLiteral']
}

/** Makes a row; the type of the arguments is known only inside. */
export function command<Args>(definition: CommandDefinition<Args>): Command {
  const { name, state, uid, sequence } = definition
  return {
    name,
    state,
    uid,
    reportsProgress: definition.reportsProgress === true,
    acceptLiteral: definition.acceptLiteral?.bind(definition),
    bind(parser, context) {
      const args = definition.parse(parser, context)
      parser.end()
      return {
        usesSequence:
          typeof sequence === 'function' ? sequence(args, context.uid) : sequence === 'uses' && !context.uid,
        run: session => definition.run(session, args, context.uid),
      }
    },
  }
}
