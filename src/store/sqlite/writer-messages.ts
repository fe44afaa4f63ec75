// What the writer's thread and the others say to each other.
import type { MessagePort } from 'node:worker_threads'
import type { LogFields } from '../../base/log.ts'
import { StoreError, type StoreErrorCode } from '../error.ts'
import type { MutationName } from '../mutations.ts'
import type { ChangeHint, Quota } from '../store.ts'
import type { Durability } from './wal-keeper.ts'

/** `workerData` of the writer's thread. */
export interface WriterThreadData {
  readonly dataDir: string
  readonly durability: Durability
  readonly defaultQuota: Quota
  readonly isRestart: boolean
}

/** What a protocol thread says. */
export type ClientMessage =
  /** First of all: where it counts whom it watches (`account-counts.ts`), and how long hints may be gathered for it. */
  | { readonly kind: 'hello'; readonly watched: SharedArrayBuffer; readonly gatherHintsMs: number }
  /** It asks: all of one turn of its event loop, numbered from `first` on. */
  | { readonly kind: 'calls'; readonly first: number; readonly calls: readonly Call[] }
  /** It has made changes itself (`direct-writer.ts`): of `rows` since it said so last, and what others watch of the last one. */
  | { readonly kind: 'committed'; readonly rows: number; readonly hints: readonly ChangeHint[] }
  /** It could not. */
  | { readonly kind: 'failed' }

/** A mutation, or `maintain` without arguments; one that stands for several takes as many numbers. */
export type Call = readonly [name: MutationName | 'maintain', args: unknown, count?: number]

export type Answer =
  | readonly [id: number, kind: 'done', result: unknown]
  | readonly [id: number, kind: 'refused', error: SentError]

/** What the writer says to a protocol thread. */
export type WriterAnswer =
  /** First of all: where it counts the commits that change each account, where all threads count whom they watch, and whether others may commit (`writer-gate.ts`). */
  | {
      readonly kind: 'hello'
      readonly changes: SharedArrayBuffer
      readonly watched: SharedArrayBuffer
      readonly gate: SharedArrayBuffer
    }
  /** Once a commit, with what changed of that which the thread watches. */
  | { readonly kind: 'commit'; readonly answers: readonly Answer[]; readonly hints: readonly ChangeHint[] }

/** The supervisor asks the writer. */
export type SupervisorMessage =
  | { readonly kind: 'connect'; readonly port: MessagePort }
  | { readonly kind: 'close' }

/** The writer tells the supervisor. */
export type WriterMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: SentError }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: LogFields; readonly message: string }
  | { readonly kind: 'metrics'; readonly events: readonly MetricEvent[] }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type MetricEvent = readonly [
  kind: 'count' | 'gauge' | 'observe',
  name: string,
  value: number,
  labels: Readonly<Record<string, string>> | undefined,
]

/** An error as it crosses threads. */
export type SentError =
  | { readonly kind: 'store'; readonly code: StoreErrorCode; readonly message: string }
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string | undefined }

export function sendError(error: unknown): SentError {
  if (error instanceof StoreError) return { kind: 'store', code: error.code, message: error.message }
  if (error instanceof Error) return { kind: 'bug', message: error.message, stack: error.stack }
  return { kind: 'bug', message: String(error), stack: undefined }
}

export function receiveError(sent: SentError): Error {
  if (sent.kind === 'store') return new StoreError(sent.code, sent.message)
  const error = new Error(sent.message)
  if (sent.stack !== undefined) error.stack = sent.stack
  return error
}
