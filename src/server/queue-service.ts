// The one queue runner of a server: in the first thread, whose successor goes on where it stopped.
import { Deadlines } from '../net/deadlines.ts'
import { DnsResolver } from '../net/dns-resolver.ts'
import { DnsError, type Resolver } from '../net/resolver.ts'
import { QueueRunner } from '../queue/runner.ts'
import type { App } from './app.ts'

/** Makes the runner; `start` it. */
export function createQueueRunner(app: App): QueueRunner {
  const { isIsolated } = app.config
  return new QueueRunner({
    ...app,
    deadlines: new Deadlines(),
    resolver: isIsolated ? nowhere : new DnsResolver(),
    // Also for domains that are written as addresses.
    ...(isIsolated && { overrideHop: () => undefined }),
  })
}

/** Knows of no domain, so that mail for elsewhere comes back at once. */
const nowhere: Resolver = {
  mx: refuse,
  a: refuse,
  aaaa: refuse,
  txt: refuse,
  ptr: refuse,
  tlsa: refuse,
}

function refuse(name: string): Promise<never> {
  return Promise.reject(new DnsError('NoSuchDomain', `${name}: this server sends nothing to other machines`))
}
