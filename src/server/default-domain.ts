// The domain of names that have none: the configured one, or else the domain that was added first, also when it is added while the server runs.
import type { Clock } from '../base/clock.ts'
import type { Reader } from '../store/store.ts'
import type { Config } from './config.ts'

/** How long an answer is good for. */
const freshMs = 1000

/** The configuration, whose default domain follows the store unless the file names one. */
export function withLiveDefaultDomain(config: Config, reader: Reader, clock: Clock): Config {
  const configured = config.addressing.defaultDomain
  // The schema's own default means that nobody has chosen.
  if (configured !== 'localhost') return config
  let found = configured
  let askedAt = -Infinity
  const settle = (row: { readonly name: string } | undefined) => {
    found = row?.name ?? configured
  }
  const addressing = {
    ...config.addressing,
    get defaultDomain(): string {
      const now = clock.now()
      if (now - askedAt < freshMs && askedAt <= now) return found
      askedAt = now
      const row = reader.get<{ name: string }>('SELECT name FROM domain ORDER BY created_at, name LIMIT 1')
      // A back-end that answers later is heard by the next who asks.
      if (row instanceof Promise) row.then(settle, () => {})
      else settle(row)
      return found
    },
  }
  return { ...config, addressing }
}
