// What a thread's sessions work with: one of each, made when the store is open.
import type { Directory } from '../account/directory.ts'
import { openDirectory } from '../account/directory.ts'
import { Login, type LoginResult } from '../account/login.ts'
import { LoginLimiter } from '../account/login-limiter.ts'
import { SessionCounts } from '../account/session-counts.ts'
import { ByteBudget } from '../base/byte-budget.ts'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import { PiecePool } from '../net/piece-pool.ts'
import { MaildropLocks } from '../pop3/maildrop-locks.ts'
import type { Store } from '../store/store.ts'
import type { Config } from './config.ts'
import { withLiveDefaultDomain } from './default-domain.ts'
import { nodeId } from './node-id.ts'
import type { SharedTables } from './shared-tables.ts'

/** Every protocol's context is made of this. */
export interface App {
  readonly config: Config
  readonly hostname: string
  /** This server among those that share the store. */
  readonly node: string
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly store: Store
  readonly directory: Directory
  readonly login: Login
  readonly maildropLocks: MaildropLocks
  readonly largeMessages: ByteBudget
  /** For what clients are sent. */
  readonly pieces: PiecePool
}

export interface AppParts {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly store: Store
  readonly shared: SharedTables
  /** Of the thread. */
  readonly index: number
  /** Hears how each log-in ended. */
  readonly onLogin?: ((result: LoginResult) => void) | undefined
}

/** Puts a thread's parts together. */
export function createApp({ config, clock, log, metrics, store, shared, index, onLogin }: AppParts): App {
  const live = withLiveDefaultDomain(config, store.reader, clock)
  const directory = openDirectory(store, live)
  const { hostname } = config
  const limiter = new LoginLimiter(clock, config.login.limiter, shared.limiter, store.nodes)
  // The table is one for all threads.
  if (index === 0) store.nodes?.hear(word => limiter.hear(word))
  return {
    config: live,
    hostname,
    node: nodeId(config.dataDir),
    clock,
    log,
    metrics,
    store,
    directory,
    login: new Login({
      directory,
      limiter,
      clock,
      log,
      metrics,
      hostname,
      counts: new SessionCounts(index, shared.sessions),
      onResult: onLogin,
    }),
    maildropLocks: new MaildropLocks(clock, shared.maildropLocks, store.nodes?.maildrops),
    largeMessages: new ByteBudget(limits.smtp.largeMessagesBytes),
    pieces: new PiecePool(),
  }
}
