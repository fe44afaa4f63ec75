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
  /** The client has just been told all that there is (SELECT), so nothing is looked up again before the tagged OK. */
  readonly isUpToDate?: true
  /** Done when the tagged OK has been written: STARTTLS. */
  readonly afterwards?: (() => Promise<void>) | undefined
}

/** The second half of a command: waits for the store, writes untagged answers, throws refusals. */
export type Answer = () => Awaitable<Completion | undefined | void>

export interface ParseContext {
  /** Of the command: ESEARCH repeats it (RFC 9051 §7.3.4). */
  readonly tag: string
  /** Given as UID COMMAND. */
  readonly uid: boolean
  readonly session: Session
}

/** Where a literal of a command goes: into memory with the rest, or straight to the store. */
export type LiteralPlace = 'memory' | 'store'

interface CommonDefinition<Args> {
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
  /**
   * Asked before a literal is received, with a parser over the arguments so far: where to put it. Throws a refusal, which is then given in place of
   * the leave to continue.
   */
  acceptLiteral?(session: Session, parser: Parser, head: LiteralHead): Awaitable<LiteralPlace>
}

/** In one step, in two, or either as the arguments allow. */
type Steps<Args> = OneStep<Args> | TwoSteps<Args> | (OneStep<Args> & TwoSteps<Args> & EitherStep<Args>)

interface OneStep<Args> {
  /** Does it. Untagged answers go to `session.out`; refusals are thrown. */
  run(session: Session, args: Args, uid: boolean): ReturnType<Answer>
}

interface TwoSteps<Args> {
  /**
   * Asks the store for the change and writes nothing; settles without waiting for the commit. Commands behind it may begin before the answer that it
   * gives is called (`pipeline.ts`): so it sees what the client was told, and the store's order is that of the commands. Refusals are thrown here or there.
   */
  begin(session: Session, args: Args, uid: boolean): Awaitable<Answer>
  /** Whether it takes in what commands before it may bring, so that those are answered first (RFC 9051 §5.5). */
  isAmbiguous?(session: Session, args: Args, uid: boolean): boolean
}

interface EitherStep<Args> {
  /** Whether one change does it all. */
  canBegin(args: Args): boolean
}

/** The second half over a change that was asked for; what rejects it is thrown by the answer only. */
export function afterChange<Result>(
  change: Promise<Result>,
  answer: (result: Result) => ReturnType<Answer>,
): Answer {
  change.catch(() => {})
  return async () => answer(await change)
}

export type CommandDefinition<Args> = ParsedDefinition<Args> & Steps<Args>

interface ParsedDefinition<Args> extends CommonDefinition<Args> {
  /** Reads the arguments, from the space before them to the end of the command. Pure; throws BAD. */
  parse(parser: Parser, context: ParseContext): Args
}

/** Of a command whose arguments name what has to be looked up before it is known what they mean: a stored filter. */
export interface ResolvedDefinition<Written, Args> extends CommonDefinition<Args>, OneStep<Args> {
  /** Reads the arguments as they are written. Pure; throws BAD. */
  parse(parser: Parser, context: ParseContext): Written
  /** Looks up what they name. Refusals are thrown. */
  resolve(written: Written, context: ParseContext): Awaitable<Args>
}

/** A command with its arguments read. */
export interface BoundCommand {
  readonly usesSequence: boolean
  readonly step:
    | { readonly kind: 'run'; run(session: Session): ReturnType<Answer> }
    | {
        readonly kind: 'begin'
        isAmbiguous(session: Session): boolean
        begin(session: Session): Awaitable<Answer>
      }
}

/** A row of the table, whatever its arguments are. */
export interface Command {
  readonly name: string
  readonly state: CommandState
  readonly uid: 'also' | 'only' | undefined
  readonly reportsProgress: boolean
  /** Whether it can be begun while others wait for the store. */
  readonly canBegin: boolean
  bind(parser: Parser, context: ParseContext): Awaitable<BoundCommand>
  readonly acceptLiteral: CommonDefinition<unknown>['acceptLiteral']
}

/** Makes a row; the type of the arguments is known only inside. */
export function command<Args>(definition: CommandDefinition<Args>): Command {
  return row(definition, (parser, context) => {
    const args = definition.parse(parser, context)
    parser.end()
    return args
  })
}

/** Makes a row of a command whose arguments are looked up. */
export function resolvedCommand<Written, Args>(definition: ResolvedDefinition<Written, Args>): Command {
  return row(definition, (parser, context) => {
    const written = definition.parse(parser, context)
    parser.end()
    return definition.resolve(written, context)
  })
}

function row<Args>(
  definition: CommonDefinition<Args> & Steps<Args>,
  read: (parser: Parser, context: ParseContext) => Awaitable<Args>,
): Command {
  const { name, state, uid, sequence } = definition
  const bound = (args: Args, isUid: boolean): BoundCommand => ({
    usesSequence: typeof sequence === 'function' ? sequence(args, isUid) : sequence === 'uses' && !isUid,
    step:
      'begin' in definition && !('canBegin' in definition && !definition.canBegin(args))
        ? {
            kind: 'begin',
            isAmbiguous: session => definition.isAmbiguous?.(session, args, isUid) === true,
            begin: session => definition.begin(session, args, isUid),
          }
        : { kind: 'run', run: session => (definition as OneStep<Args>).run(session, args, isUid) },
  })
  return {
    name,
    state,
    uid,
    reportsProgress: definition.reportsProgress === true,
    canBegin: 'begin' in definition,
    acceptLiteral: definition.acceptLiteral?.bind(definition),
    bind(parser, context) {
      const args = read(parser, context)
      return args instanceof Promise
        ? args.then(found => bound(found, context.uid))
        : bound(args, context.uid)
    },
  }
}
