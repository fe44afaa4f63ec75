// IP addresses: parsing, normalising, networks. RFC 4291 (IPv6, v4-mapped addresses), RFC 5952 (its canonical text), RFC 4632 (CIDR).
import { isIPv4, isIPv6 } from 'node:net'

/** An address as 4 or 16 bytes; a v4-mapped IPv6 address (::ffff:a.b.c.d) as its 4. Throws RangeError. A zone (`%eth0`) is left out. */
export function parseIp(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number)
  if (!isIPv6(text)) throw new RangeError(`not an IP address: ${JSON.stringify(text)}`)
  const bytes = parseIpv6(text)
  return isMapped(bytes) ? bytes.slice(12) : bytes
}

/** The one text of an address: IPv4 for v4-mapped IPv6, else RFC 5952. What is no address (a host name, '') comes back unchanged. */
export function normalizeIp(text: string): string {
  if (isIPv4(text)) return text
  return isIPv6(text) ? formatIp(parseIp(text)) : text
}

/** RFC 5952 §4. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const words: number[] = []
  for (let i = 0; i < 16; i += 2) words.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number))
  const { start, length } = longestZeros(words)
  const hex = (some: number[]) => some.map(word => word.toString(16)).join(':')
  // RFC 5952 §4.2.2: a single zero word is not shortened.
  if (length < 2) return hex(words)
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`
}

export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return address.startsWith('127.')
  if (!isIPv6(address)) return false
  const bytes = parseIp(address)
  if (bytes.length === 4) return bytes[0] === 127
  return bytes[15] === 1 && bytes.subarray(0, 15).every(byte => byte === 0)
}

/** The key under which limiters count an address: itself for IPv4, its /64 for IPv6, where one customer has them all. */
export function networkKey(address: string): string {
  if (isIPv4(address) || !isIPv6(address)) return address
  const bytes = parseIp(address)
  if (bytes.length === 4) return formatIp(bytes)
  return `${formatIp(Uint8Array.from({ length: 16 }, (_, i) => (i < 8 ? (bytes[i] as number) : 0)))}/64`
}

/** An address and how many of its bits count. */
export interface Network {
  readonly bytes: Uint8Array
  readonly bits: number
}

/** `10.0.0.0/8`, `2001:db8::/32`, or an address alone. Bits past the prefix are ignored. Throws RangeError. */
export function parseNetwork(text: string): Network {
  const [address, prefix, ...more] = text.split('/')
  if (more.length > 0) throw new RangeError(`not a network: ${JSON.stringify(text)}`)
  const bytes = parseIp(address ?? '')
  if (prefix === undefined) return { bytes, bits: bytes.length * 8 }
  const isMappedText = bytes.length === 4 && address?.includes(':')
  const given = /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN
  const bits = isMappedText ? given - 96 : given
  if (!(bits >= 0 && bits <= bytes.length * 8)) throw new RangeError(`not a network: ${JSON.stringify(text)}`)
  return { bytes, bits }
}

export function isInNetwork(address: string, network: Network): boolean {
  if (!isIPv4(address) && !isIPv6(address)) return false
  const bytes = parseIp(address)
  if (bytes.length !== network.bytes.length) return false
  const whole = network.bits >> 3
  for (let i = 0; i < whole; i++) if (bytes[i] !== network.bytes[i]) return false
  const rest = network.bits & 7
  if (rest === 0) return true
  const mask = 0xff << (8 - rest)
  return (((bytes[whole] as number) ^ (network.bytes[whole] as number)) & mask & 0xff) === 0
}

export function isInNetworks(address: string, networks: readonly Network[]): boolean {
  return networks.some(network => isInNetwork(address, network))
}

function parseIpv6(text: string): Uint8Array {
  const [plain] = text.split('%') as [string]
  const [left, right] = plain.split('::') as [string, string | undefined]
  const before = wordBytes(left)
  const after = wordBytes(right ?? '')
  const bytes = new Uint8Array(16)
  bytes.set(before)
  bytes.set(after, 16 - after.length)
  return bytes
}

function wordBytes(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap(word => {
    if (word.includes('.')) return word.split('.').map(Number)
    const value = Number.parseInt(word, 16)
    return [value >> 8, value & 0xff]
  })
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every(byte => byte === 0)
}

function longestZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  words.forEach((word, i) => {
    if (word !== 0) start = i + 1
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start }
  })
  return best
}
