// What the queue is given by the server.
import type { DeliveryContext } from '../delivery/context.ts'
import type { Deadlines } from '../net/deadlines.ts'
import type { Resolver } from '../net/resolver.ts'
import type { Hop } from '../smtpclient/route.ts'
import type { TlsPolicy } from '../smtpclient/tls-policy.ts'

export interface QueueContext extends DeliveryContext {
  /** Names this server among those that share the store, the same after a restart; `hostname` by default. */
  readonly node?: string | undefined
  readonly resolver: Resolver
  readonly deadlines: Deadlines
  /** 0 to 1; `Math.random` by default. */
  readonly random?: (() => number) | undefined
  readonly tlsPolicy?: TlsPolicy | undefined
  /** See `SenderOptions`: keeps tests and the demo on loopback. */
  readonly overrideHop?: ((hop: Hop) => Hop | undefined) | undefined
  /** Waits `ms` or until `signal`; never rejects. A timer by default. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined
}
