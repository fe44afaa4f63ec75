// What a mail server in a program is made with.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ConfigInput } from '../server/config-schema.ts'
import type { DoorName } from '../server/listen.ts'
import type { MutationName } from '../store/mutations.ts'

export interface MailServerOptions {
  /** Where mail is kept: `'memory'` (the default) for nothing that outlives the server, or a folder. */
  readonly store?: 'memory' | { readonly dataDir: string }
  /** What listens, each on a free port of 127.0.0.1. All mail protocols by default. */
  readonly protocols?: readonly DoorName[]
  /** What the server calls itself. `localhost` by default. */
  readonly hostname?: string
  /** Domains whose mail it takes from the start; an account brings its own. */
  readonly domains?: readonly string[]
  /** Tells the time. What it says dates messages, queues and log-in limits; timeouts of connections go by the machine's own. */
  readonly clock?: Clock
  /** Nothing is logged by default. */
  readonly log?: Log
  readonly hooks?: MailServerHooks
  /** Where mail for other domains goes. `'none'`, the default: nowhere, it waits in the queue. */
  readonly outbound?: 'none' | 'direct'
  /** Anything of docs/configuration.md, but for what the options above say. */
  readonly config?: Omit<ConfigInput, 'listen' | 'dataDir' | 'threads' | 'user' | 'group' | 'log'>
}

/** Called on the way of things; what a hook throws is what the peer sees as a failure. */
export interface MailServerHooks {
  /** Before a session begins. A rejection closes the connection without a word; a promise that takes its time is a slow server. */
  readonly connection?: (connection: HookedConnection) => void | Promise<void>
  /** Before a change of the store. Throw `new StoreError('disk-full', '…')` to see what your program makes of it. */
  readonly mutate?: (name: MutationName) => void | Promise<void>
}

export interface HookedConnection {
  readonly protocol: 'imap' | 'pop3' | 'smtp' | 'submission' | 'lmtp'
  readonly remoteAddress: string
  readonly remotePort: number
  /** Whether TLS came first. */
  readonly secure: boolean
}
