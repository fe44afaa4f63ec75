// The configuration of a server in a program, from its options.
import { configSchema } from '../server/config-schema.ts'
import type { Config } from '../server/config.ts'
import { type DoorName, doorNames, type Listen } from '../server/listen.ts'
import type { MailServerOptions } from './options.ts'

/** What listens when nothing is said. */
const allMail: readonly DoorName[] = doorNames.filter(name => name !== 'http')

/** Hashes that cost little, for accounts that live as long as a test. */
const cheapHash = { memoryKib: 64, passes: 1, parallelism: 1, concurrency: 2 }

/** Throws a ZodError for what the schema refuses. */
export function libraryConfig(options: MailServerOptions): Config {
  const {
    store = 'memory',
    protocols = allMail,
    hostname = 'localhost',
    outbound = 'none',
    config = {},
  } = options
  const { listen: _listen, ...settled } = configSchema.parse({
    ...config,
    login: { minPasswordCharacters: 1, ...(store === 'memory' && { hash: cheapHash }), ...config.login },
    queue: { ...config.queue, outbound },
    hostname,
  })
  const listen: Listen = Object.fromEntries(
    protocols.map(name => [name, [{ kind: 'tcp', host: '127.0.0.1', port: 0 }]]),
  )
  return {
    ...settled,
    hostname,
    listen,
    threads: 0,
    isIsolated: false,
    dataDir: store === 'memory' ? '' : store.dataDir,
  }
}
