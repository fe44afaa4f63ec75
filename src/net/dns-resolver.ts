// `Resolver` by node:dns (c-ares), with deadlines, a bounded cache and one question at a time for the same name.
//
// c-ares tells the TTL of A and AAAA only; other records, and names that do not exist, are kept for `limits.dns.defaultTtlMs`. Temporary failures are not kept.
// It does not tell the AD bit either, so TLSA records from here are not validated by DNSSEC.
import { Resolver as CaresResolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { limits } from '../base/limits.ts'
import { Lru } from '../base/lru.ts'
import { DnsError, type MxRecord, type Resolver, type TlsaRecord } from './resolver.ts'

interface Answer<T> {
  readonly records: readonly T[]
  readonly ttlMs: number
}

type Cached = { readonly until: number } & (
  | { readonly records: readonly unknown[] }
  | { readonly error: DnsError }
)

export interface DnsResolverOptions {
  /** `ADDRESS` or `ADDRESS:PORT`; the system's when absent. */
  readonly servers?: readonly string[]
  /** A monotonic clock in milliseconds. */
  readonly now?: () => number
  readonly timeoutMs?: number
}

export class DnsResolver implements Resolver {
  readonly #cares: CaresResolver
  readonly #now: () => number
  readonly #timeoutMs: number
  readonly #cache = new Lru<string, Cached>(limits.dns.cachedAnswers)
  readonly #asked = new Map<string, Promise<readonly unknown[]>>()

  constructor({
    servers,
    now = () => performance.now(),
    timeoutMs = limits.dns.timeoutMs,
  }: DnsResolverOptions = {}) {
    this.#cares = new CaresResolver({ timeout: Math.ceil(timeoutMs / 4), tries: 3, maxTimeout: timeoutMs })
    if (servers) this.#cares.setServers(servers)
    this.#now = now
    this.#timeoutMs = timeoutMs
  }

  mx(domain: string): Promise<readonly MxRecord[]> {
    return this.#look('MX', domain, async name => {
      const records = await this.#cares.resolveMx(name)
      return lasting(
        records
          .map(({ priority, exchange }) => ({ preference: priority, exchange: withoutDot(exchange) }))
          .toSorted((one, other) => one.preference - other.preference),
      )
    })
  }

  a(domain: string): Promise<readonly string[]> {
    return this.#look('A', domain, async name => timed(await this.#cares.resolve4(name, { ttl: true })))
  }

  aaaa(domain: string): Promise<readonly string[]> {
    return this.#look('AAAA', domain, async name => timed(await this.#cares.resolve6(name, { ttl: true })))
  }

  txt(domain: string): Promise<readonly string[]> {
    return this.#look('TXT', domain, async name =>
      lasting((await this.#cares.resolveTxt(name)).map(strings => strings.join(''))),
    )
  }

  async ptr(address: string): Promise<readonly string[]> {
    if (!isIP(address)) throw new DnsError('NoSuchDomain', `not an IP address: ${address}`)
    return this.#look('PTR', address, async name =>
      lasting((await this.#cares.reverse(name)).map(host => withoutDot(host))),
    )
  }

  tlsa(domain: string): Promise<readonly TlsaRecord[]> {
    return this.#look('TLSA', domain, async name => {
      const records = await this.#cares.resolveTlsa(name)
      return lasting(
        records.map(({ certUsage, selector, match, data }) => ({
          usage: certUsage,
          selector,
          matchingType: match,
          data: Buffer.from(data),
        })),
      )
    })
  }

  async #look<T>(
    type: string,
    domain: string,
    ask: (name: string) => Promise<Answer<T>>,
  ): Promise<readonly T[]> {
    const name = asciiName(domain)
    const key = `${type} ${name}`
    const cached = this.#cache.get(key)
    if (cached && cached.until > this.#now()) {
      if ('error' in cached) throw cached.error
      return cached.records as readonly T[]
    }
    const asked = this.#asked.get(key)
    if (asked) return asked as Promise<readonly T[]>
    const answer = this.#ask(key, name, ask)
    this.#asked.set(key, answer)
    try {
      return await answer
    } finally {
      this.#asked.delete(key)
    }
  }

  async #ask<T>(key: string, name: string, ask: (name: string) => Promise<Answer<T>>): Promise<readonly T[]> {
    try {
      const { records, ttlMs } = await this.#inTime(ask(name), key)
      if (records.length === 0) throw new DnsError('NoRecords', `${key}: no records`)
      const keptMs = Math.min(ttlMs, limits.dns.maxTtlMs)
      this.#cache.set(key, { until: this.#now() + keptMs, records })
      return records
    } catch (cause) {
      const error = asDnsError(cause, key)
      if (error.code !== 'Temporary') {
        this.#cache.set(key, { until: this.#now() + limits.dns.defaultTtlMs, error })
      }
      throw error
    }
  }

  async #inTime<T>(answer: Promise<T>, key: string): Promise<T> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => late.reject(new DnsError('Temporary', `${key}: no answer in time`)),
      this.#timeoutMs,
    )
    try {
      return await Promise.race([answer, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}

function timed(records: readonly { readonly address: string; readonly ttl: number }[]): Answer<string> {
  const ttl = Math.min(...records.map(record => record.ttl))
  return { records: records.map(record => record.address), ttlMs: ttl * 1000 }
}

function lasting<T>(records: readonly T[]): Answer<T> {
  return { records, ttlMs: limits.dns.defaultTtlMs }
}

function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}

const printableAscii = /^[\x21-\x7e]+$/
/** Nothing else goes to `domainToASCII`: like a URL's host, it would drop line breaks and decode `%2e`. */
const unicodeName = /^[\p{L}\p{M}\p{N}_.-]+$/u

/** Lower case, A-labels (RFC 5891), no final dot. What can be no name does not exist. */
function asciiName(domain: string): string {
  const name = withoutDot(domain.toLowerCase())
  const ascii = printableAscii.test(name) ? name : unicodeName.test(name) ? domainToASCII(name) : ''
  // RFC 1035 §2.3.4.
  if (
    ascii === '' ||
    ascii.length > 253 ||
    ascii.split('.').some(label => label === '' || label.length > 63)
  ) {
    throw new DnsError('NoSuchDomain', `not a domain name: ${JSON.stringify(domain)}`)
  }
  return ascii
}

function asDnsError(cause: unknown, key: string): DnsError {
  if (cause instanceof DnsError) return cause
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'ENOTFOUND':
      return new DnsError('NoSuchDomain', `${key}: no such name`, { cause })
    case 'ENODATA':
      return new DnsError('NoRecords', `${key}: no records`, { cause })
    // The name cannot be asked for at all.
    case 'EBADNAME':
      return new DnsError('NoSuchDomain', `${key}: not a name`, { cause })
    default:
      return new DnsError('Temporary', `${key}: ${String(code ?? cause)}`, { cause })
  }
}
