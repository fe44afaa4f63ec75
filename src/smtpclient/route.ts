// Which servers take the mail of a domain, in which order. RFC 5321 §5; RFC 7505 (null MX).
import { isIP } from 'node:net'
import { limits } from '../base/limits.ts'
import { isLoopback } from '../net/ip.ts'
import { isNotFound, type Resolver } from '../net/resolver.ts'
import { SmtpClientError } from './client-error.ts'
import type { Verdict } from './outgoing.ts'

export interface Hop {
  readonly host: string
  readonly address: string
  readonly port: number
}

export interface RouteOptions {
  readonly resolver: Resolver
  /** Our own name: where it is among a domain's servers, only better ones are asked. */
  readonly hostname: string
  /** 0 to 1, for the order of equals. */
  readonly random: () => number
}

/** The servers of a domain, best first, at most `limits.smtp.hops`. Throws SmtpClientError with what holds for the whole domain. */
export async function findRoute(options: RouteOptions, domain: string): Promise<readonly Hop[]> {
  if (domain.startsWith('[')) return literalRoute(domain)
  const hosts = await findHosts(options, domain)
  const hops: Hop[] = []
  let isTemporary = false
  for (const host of hosts) {
    if (hops.length >= limits.smtp.hops) break
    const found = await findAddresses(options.resolver, host)
    isTemporary ||= found.isTemporary
    for (const address of shuffle(found.addresses, options.random)) {
      // An exchange that points back at its sender is a mistake or an attack.
      if (isOwn(address)) continue
      hops.push({ host, address, port: 25 })
    }
  }
  if (hops.length > 0) return hops.slice(0, limits.smtp.hops)
  if (isTemporary)
    throw unroutable('later', 451, '4.4.3', `The addresses of ${domain} can't be looked up now`)
  throw unroutable('failed', 550, '5.4.4', `${domain} has no mail server with an address`)
}

async function findHosts(
  { resolver, hostname, random }: RouteOptions,
  domain: string,
): Promise<readonly string[]> {
  let records
  try {
    records = await resolver.mx(domain)
  } catch (error) {
    if (!isNotFound(error)) {
      throw unroutable('later', 451, '4.4.3', `The mail servers of ${domain} can't be looked up now`, error)
    }
    if (error.code === 'NoSuchDomain')
      throw unroutable('failed', 550, '5.1.2', `There is no domain ${domain}`, error)
    // RFC 5321 §5.1: without MX the domain itself is the server.
    return [domain]
  }
  // RFC 7505 §4.
  if (records.length === 1 && records[0]?.exchange === '')
    throw unroutable('failed', 556, '5.1.10', `${domain} takes no mail`)
  const own = records.find(({ exchange }) => sameName(exchange, hostname))
  // RFC 5321 §5.1: at our own preference and below there is nobody who knows better than we.
  const better = records.filter(
    ({ exchange, preference }) => exchange !== '' && (!own || preference < own.preference),
  )
  if (better.length === 0) throw unroutable('failed', 550, '5.4.6', `Mail for ${domain} comes back to us`)
  const ordered = shuffle(better, random).toSorted((a, b) => a.preference - b.preference)
  return [...new Set(ordered.map(({ exchange }) => exchange.toLowerCase()))]
}

async function findAddresses(
  resolver: Resolver,
  host: string,
): Promise<{ readonly addresses: readonly string[]; readonly isTemporary: boolean }> {
  if (isIP(host) !== 0) return { addresses: [host], isTemporary: false }
  const answers = await Promise.allSettled([resolver.aaaa(host), resolver.a(host)])
  return {
    addresses: answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : [])),
    isTemporary: answers.some(answer => answer.status === 'rejected' && !isNotFound(answer.reason)),
  }
}

function literalRoute(domain: string): readonly Hop[] {
  const address = domain.slice(1, -1).replace(/^ipv6:/i, '')
  if (isIP(address) === 0 || isOwn(address))
    throw unroutable('failed', 550, '5.1.2', `${domain} is no address that mail is sent to`)
  return [{ host: address, address, port: 25 }]
}

function isOwn(address: string): boolean {
  return isLoopback(address) || address === '0.0.0.0' || address === '::'
}

function sameName(one: string, other: string): boolean {
  return one.replace(/\.$/, '').toLowerCase() === other.replace(/\.$/, '').toLowerCase()
}

/** RFC 5321 §5.1: equals in random order, so that their load is shared. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.min(i, Math.floor(random() * (i + 1)))
    const kept = shuffled[i] as T
    shuffled[i] = shuffled[j] as T
    shuffled[j] = kept
  }
  return shuffled
}

function unroutable(
  kind: Verdict['kind'],
  code: number,
  status: string,
  text: string,
  cause?: unknown,
): SmtpClientError {
  return new SmtpClientError({ kind, code, status, text, host: '' }, { cause })
}
