// When a message is tried again, and when it is given up. RFC 5321 §4.5.4.1.
import type { QueueConfig } from './config.ts'

/** How long to wait after attempt number `attempts` (1 is the first) failed. `random` is 0 to 1. */
export function retryDelayMs(config: QueueConfig, attempts: number, random: () => number): number {
  const { retryMinutes, jitter } = config
  const minutes = retryMinutes[Math.min(attempts, retryMinutes.length) - 1] ?? retryMinutes[0] ?? 1
  return Math.round(minutes * 60_000 * (1 + jitter * (2 * random() - 1)))
}
