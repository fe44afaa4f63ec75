// The log, by pino: JSON lines, or lines for people on a terminal. Each thread writes its own lines to standard error.
import { pino } from 'pino'
import type { Log, LogFields } from '../base/log.ts'
import { GatheredLines } from './gathered-lines.ts'
import { isSecretField } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'
export type LogFormat = 'auto' | 'json' | 'pretty'

const weights: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: 100 }

export interface ServerLog extends Log {
  /** Changes what is written from now on, by this log and all its children. */
  setLevel(level: LogLevel): void
}

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Takes each line; standard error when absent. */
  readonly write?: (line: string) => void
}

/** Makes the log of a thread. */
export function createLog({ level, format, write }: LogOptions): ServerLog {
  const isPretty =
    format === 'pretty' || (format === 'auto' && write === undefined && process.stderr.isTTY === true)
  const output = write ? { write, flush: ignore } : standardError()
  const destination = isPretty ? { write: (line: string) => output.write(prettyLine(line)) } : output
  const logger = pino(
    {
      level: 'trace',
      base: null,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: (value: unknown) => value },
    },
    destination,
  )
  return new PinoLog(logger, { weight: weights[level] }, () => output.flush())
}

function ignore(): void {}

/** Where standard error can't take lines (a file on a full disk, a reader that is gone) they are lost and the server goes on. */
function standardError(): GatheredLines {
  const output = pino.destination({ fd: 2, sync: true })
  output.on('error', ignore)
  const lines = new GatheredLines(text => output.write(text))
  process.on('exit', () => lines.flush())
  return lines
}

class PinoLog implements ServerLog {
  readonly #logger: pino.Logger
  /** Shared with all children. */
  readonly #threshold: { weight: number }
  /** What may be the last before a crash, or is wanted for looking into one, does not wait. */
  readonly #flush: () => void

  constructor(logger: pino.Logger, threshold: { weight: number }, flush: () => void) {
    this.#logger = logger
    this.#threshold = threshold
    this.#flush = flush
  }

  setLevel(level: LogLevel): void {
    this.#threshold.weight = weights[level]
  }

  debug(fields: LogFields, message: string): void {
    if (this.#threshold.weight > weights.debug) return
    this.#logger.debug(clean(fields), message)
    this.#flush()
  }

  info(fields: LogFields, message: string): void {
    if (this.#threshold.weight <= weights.info) this.#logger.info(clean(fields), message)
  }

  warn(fields: LogFields, message: string): void {
    if (this.#threshold.weight > weights.warn) return
    this.#logger.warn(clean(fields), message)
    this.#flush()
  }

  error(fields: LogFields, message: string): void {
    if (this.#threshold.weight > weights.error) return
    this.#logger.error(clean(fields), message)
    this.#flush()
  }

  child(fields: LogFields): Log {
    return new PinoLog(this.#logger.child(clean(fields)), this.#threshold, this.#flush)
  }
}

/** Fields with errors told in full and secrets struck out. */
function clean(fields: LogFields): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {}
  for (const key of Object.keys(fields)) {
    const value = fields[key]
    if (isSecret(key)) cleaned[key] = '[redacted]'
    else cleaned[key] = value instanceof Error ? describeError(value, 0) : value
  }
  return cleaned
}

/** The names that the program gives to fields are few. */
const knownFields = new Map<string, boolean>()

function isSecret(key: string): boolean {
  let known = knownFields.get(key)
  if (known === undefined) knownFields.set(key, (known = isSecretField(key)))
  return known
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as NodeJS.ErrnoException
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
    ...(error.cause instanceof Error && depth < 5 && { cause: describeError(error.cause, depth + 1) }),
  }
}

/** `10:20:30.123 warn  message key=value`, with an error's stack below. Lines that are no JSON stay as they are. */
export function prettyLine(line: string): string {
  let record: Record<string, unknown>
  try {
    record = JSON.parse(line) as Record<string, unknown>
  } catch {
    return line
  }
  const { time, level, msg, ...fields } = record
  const clock = new Date(Number(time)).toISOString().slice(11, 23)
  const stacks: string[] = []
  const rest = Object.entries(fields).map(([key, value]) => {
    if (typeof value !== 'object' || value === null) return ` ${key}=${plain(value)}`
    const { message, stack } = value as { message?: string; stack?: string }
    if (typeof stack === 'string') stacks.push(stack.replace(/^/gm, '    '))
    return ` ${key}=${plain(message ?? value)}`
  })
  return `${[`${clock} ${String(level).padEnd(5)} ${String(msg)}${rest.join('')}`, ...stacks].join('\n')}\n`
}

/** Quoted where it holds a space or a control character, so that a peer's text cannot forge a line. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
  return /^[^\s"\p{C}]+$/u.test(text) ? text : JSON.stringify(text)
}
