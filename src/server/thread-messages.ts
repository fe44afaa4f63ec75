// What the supervisor and a protocol thread tell each other. Plain values that cross threads.
import type { MessagePort } from 'node:worker_threads'
import type { CertificateStoreOptions } from '../net/tls.ts'
import type { Config } from './config.ts'
import type { Listen } from './listen.ts'
import type { LogLevel } from './log.ts'
import type { MetricsBatch } from './metrics.ts'
import type { SharedTables } from './shared-tables.ts'

/** What a thread is started with. */
export interface ThreadData {
  readonly index: number
  readonly config: Config
  readonly reusePort: boolean
  readonly certificates: Omit<CertificateStoreOptions, 'ticketKeys'>
  /** Of all threads, so that a TLS session resumes in any. */
  readonly ticketKeys: Uint8Array
  readonly shared: SharedTables
}

export type ToThread =
  /** The addresses that it opens; the first thread of several finds the ports where 0 is asked for. */
  | { readonly kind: 'listen'; readonly listen: Listen }
  /** The store is open: sessions may begin. */
  | { readonly kind: 'open'; readonly port: MessagePort }
  /** The server is ready, so there is time to run what the first clients will ask for. */
  | { readonly kind: 'rehearse' }
  /** The writer died; this is the next one. */
  | { readonly kind: 'newWriter'; readonly writer: MessagePort }
  | { readonly kind: 'reload'; readonly logLevel: LogLevel }
  | { readonly kind: 'ticketKeys'; readonly keys: Uint8Array }
  /** Tell what was counted. */
  | { readonly kind: 'report' }
  | { readonly kind: 'stop'; readonly drainMs: number }
  /** For tests: throw where nobody catches. */
  | { readonly kind: 'fault' }

export type FromThread =
  | { readonly kind: 'listening'; readonly addresses: Listen }
  /** Sessions can begin. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'rehearsed' }
  /** It cannot start; it ends after this. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'metrics'; readonly batch: MetricsBatch | undefined }
