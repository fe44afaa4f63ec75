// What delivery is given by the server.
import type { Directory } from '../account/directory.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import type { QueueConfig } from '../queue/config.ts'
import type { Store } from '../store/store.ts'
import type { DeliveryConfig } from './config.ts'

export interface DeliveryContext {
  readonly store: Store
  readonly directory: Directory
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Our name in trace fields and reports. */
  readonly hostname: string
  readonly config: { readonly delivery: DeliveryConfig; readonly queue: QueueConfig }
}
