// A place where sessions run, as the supervisor sees it: a thread of its own, or the calling thread.
import type { Listen } from './listen.ts'
import type { LogLevel } from './log.ts'
import type { Storage } from './storage.ts'

export interface Slot {
  readonly isReady: boolean
  /** Loads its program, beside what the others load. */
  load(): void
  /** Opens the doors; where they are. Rejects when it cannot. */
  start(): Promise<Listen>
  /** Resolves when sessions can begin. */
  readonly ready: Promise<void>
  /** Gives it the store, with which sessions begin. */
  open(storage: Storage): void
  /** Has it run what the first clients will ask for. */
  rehearse(): Promise<void>
  /** Gives it the writer that follows one that died. */
  newWriter(storage: Storage): void
  /** Loads the certificates again, and logs by `logLevel`. */
  reload(logLevel: LogLevel): void
  /** Encrypts TLS session tickets with another key from now on. */
  rotateTicketKeys(keys: Uint8Array): void
  /** Gathers what was counted, waiting `timeoutMs` at most. */
  report(timeoutMs: number): Promise<void>
  /** Ends it: sessions have `drainMs`. */
  stop(drainMs: number): Promise<void>
  /** For tests: throws where nobody catches. */
  injectFault(): void
}
