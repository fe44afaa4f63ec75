// Sends a message to the recipients of one domain: finds the servers, tries them in order, keeps good connections. RFC 5321 §5.1.
import type { Log } from '../base/log.ts'
import type { Deadlines } from '../net/deadlines.ts'
import { dial } from '../net/dial.ts'
import { isConnectionError } from '../net/connection-error.ts'
import type { Resolver } from '../net/resolver.ts'
import { limits } from '../base/limits.ts'
import { SmtpClient } from './client.ts'
import { SmtpClientError } from './client-error.ts'
import type { OutgoingMessage, OutgoingRecipient, Verdict } from './outgoing.ts'
import { ClientPool } from './pool.ts'
import { findRoute, type Hop } from './route.ts'
import { opportunisticTls, serverName, type TlsDemand, type TlsPolicy } from './tls-policy.ts'

/** The one server for everything, instead of each domain's own. */
export interface Smarthost {
  readonly host: string
  readonly port: number
  readonly tls: TlsDemand['kind']
  readonly user?: string | undefined
  readonly password?: string | undefined
}

export interface SenderOptions {
  readonly resolver: Resolver
  readonly deadlines: Deadlines
  readonly hostname: string
  readonly log: Log
  /** 0 to 1. */
  readonly random: () => number
  readonly smarthost?: Smarthost | undefined
  /** Opportunistic by default. */
  readonly tlsPolicy?: TlsPolicy | undefined
  /**
   * Has the last word on where to connect; undefined forbids it. Tests and the demo send everything to loopback or nowhere with it: what it gives is not
   * checked any more.
   */
  readonly overrideHop?: ((hop: Hop) => Hop | undefined) | undefined
  /** An idle connection is kept so long. */
  readonly idleMs?: number
}

/** What one connection came to. */
type Attempt =
  | { readonly kind: 'answered'; readonly verdicts: readonly Verdict[] }
  | { readonly kind: 'lost'; readonly verdict: Verdict }

export class Sender {
  readonly #options: SenderOptions
  readonly #pool: ClientPool

  constructor(options: SenderOptions) {
    this.#options = options
    this.#pool = new ClientPool(options.idleMs ?? 5000)
  }

  /** One verdict for each recipient, in order. Rejects only with our own bugs. */
  async send(
    domain: string,
    message: OutgoingMessage,
    recipients: readonly OutgoingRecipient[],
  ): Promise<readonly Verdict[]> {
    const verdicts: Verdict[] = []
    for (let start = 0; start < recipients.length; start += limits.smtp.recipientsPerMessage) {
      const some = recipients.slice(start, start + limits.smtp.recipientsPerMessage)
      verdicts.push(...(await this.#sendToSome(domain, message, some)))
    }
    return verdicts
  }

  /** Ends idle connections. */
  close(): Promise<void> {
    return this.#pool.close()
  }

  async #sendToSome(
    domain: string,
    message: OutgoingMessage,
    recipients: readonly OutgoingRecipient[],
  ): Promise<readonly Verdict[]> {
    const key = this.#options.smarthost ? '' : domain
    const kept = await this.#pool.take(key)
    if (kept) {
      const attempt = await this.#sendOn(key, kept, message, recipients)
      if (attempt.kind === 'answered') return attempt.verdicts
      // A kept connection may have died unseen: then a new one has its chance.
      if (attempt.verdict.mayHaveArrived === true) return recipients.map(() => attempt.verdict)
    }
    let last: Verdict | undefined
    try {
      for (const hop of await this.#route(domain)) {
        const attempt = await this.#tryHop(key, domain, hop, message, recipients)
        if (attempt.kind === 'answered') return attempt.verdicts
        last = attempt.verdict
        // Another server would make it twice, if this one has it.
        if (last.mayHaveArrived === true) break
      }
    } catch (error) {
      if (!(error instanceof SmtpClientError)) throw error
      last = error.verdict
    }
    const verdict: Verdict = last ?? {
      kind: 'later',
      code: 0,
      status: '4.4.1',
      text: `No mail server of ${domain} may be connected to`,
      host: '',
    }
    return recipients.map(() => verdict)
  }

  async #route(domain: string): Promise<readonly Hop[]> {
    const { smarthost, resolver, hostname, random, overrideHop } = this.#options
    const hops = smarthost
      ? await findSmarthost(resolver, smarthost)
      : await findRoute({ resolver, hostname, random }, domain)
    return overrideHop ? hops.flatMap(hop => overrideHop(hop) ?? []) : hops
  }

  async #tryHop(
    key: string,
    domain: string,
    hop: Hop,
    message: OutgoingMessage,
    recipients: readonly OutgoingRecipient[],
  ): Promise<Attempt> {
    try {
      const client = await this.#connect(domain, hop)
      return await this.#sendOn(key, client, message, recipients)
    } catch (error) {
      if (!(error instanceof SmtpClientError)) throw error
      this.#options.log.debug({ domain, host: hop.host, err: error }, 'mail server failed')
      return { kind: 'lost', verdict: error.verdict }
    }
  }

  async #sendOn(
    key: string,
    client: SmtpClient,
    message: OutgoingMessage,
    recipients: readonly OutgoingRecipient[],
  ): Promise<Attempt> {
    try {
      return { kind: 'answered', verdicts: await client.send(message, recipients) }
    } catch (error) {
      if (!(error instanceof SmtpClientError)) throw error
      return { kind: 'lost', verdict: error.verdict }
    } finally {
      this.#pool.give(key, client)
    }
  }

  async #connect(domain: string, hop: Hop): Promise<SmtpClient> {
    const { smarthost, tlsPolicy = opportunisticTls } = this.#options
    if (smarthost) return this.#start(hop, smarthostDemand(smarthost), smarthost)
    const demand = await tlsPolicy(domain, hop.host)
    try {
      return await this.#start(hop, demand)
    } catch (error) {
      // RFC 7435 §3: opportunistic TLS that fails must not keep the mail from going in the clear.
      const isTls = error instanceof SmtpClientError && error.verdict.status === '4.7.5'
      if (demand.kind !== 'opportunistic' || !isTls) throw error
      return this.#start(hop, { kind: 'none' })
    }
  }

  async #start(hop: Hop, tls: TlsDemand, login?: Smarthost): Promise<SmtpClient> {
    const { deadlines, hostname } = this.#options
    const { host, address, port } = hop
    try {
      const connection = await dial({
        to: { address, port },
        deadlines,
        ...(tls.kind === 'implicit' && { implicitTls: tls.options }),
      })
      const { user, password } = login ?? {}
      return await SmtpClient.start(connection, {
        host,
        hostname,
        tls,
        ...(user !== undefined && password !== undefined && { login: { user, password } }),
      })
    } catch (error) {
      if (!isConnectionError(error)) throw error
      const status = error.code === 'TlsFailed' ? '4.7.5' : '4.4.1'
      const verdict: Verdict = { kind: 'later', code: 0, status, text: `${host}: ${error.message}`, host: '' }
      throw new SmtpClientError(verdict, { cause: error })
    }
  }
}

function smarthostDemand({ host, tls }: Smarthost): TlsDemand {
  const options = serverName(host)
  if (tls === 'none') return { kind: 'none' }
  return tls === 'opportunistic'
    ? { kind: tls, options: { ...options, rejectUnauthorized: false } }
    : { kind: tls, options }
}

async function findSmarthost(resolver: Resolver, { host, port }: Smarthost): Promise<readonly Hop[]> {
  if (/^[\d.]+$|:/.test(host)) return [{ host, address: host, port }]
  if (host.toLowerCase() === 'localhost') return [{ host, address: '127.0.0.1', port }]
  const found = await Promise.allSettled([resolver.aaaa(host), resolver.a(host)])
  const addresses = found.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []))
  if (addresses.length > 0) return addresses.map(address => ({ host, address, port }))
  throw new SmtpClientError({
    kind: 'later',
    code: 0,
    status: '4.4.3',
    text: `The address of ${host} can't be looked up now`,
    host: '',
  })
}
