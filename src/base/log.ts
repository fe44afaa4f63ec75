// The log as lower layers see it; `server/log.ts` makes it with pino.

/** Fields of one log line. Never put a password, a token or a message body into one. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined | null | Error>>

export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** A log whose lines all carry `fields` as well. */
  child(fields: LogFields): Log
}

const ignore = () => {}

/** A log that keeps nothing. */
export const silentLog: Log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLog,
}
