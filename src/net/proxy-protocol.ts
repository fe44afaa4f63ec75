// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): the real client's address, said by a trusted proxy before anything else.
// Only read where the listener trusts the peer's network; from others such a header is just a bad first command.
import type { Socket } from 'node:net'
import { isIPv4, isIPv6 } from 'node:net'
import { limits } from '../base/limits.ts'
import type { Endpoints } from './connection.ts'
import { ConnectionError } from './connection-error.ts'
import { formatIp, normalizeIp } from './ip.ts'

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Version 1: the longest line with its CRLF. */
const lineBytes = 107

/** `endpoints` undefined: the proxy speaks for itself (a health check), or for a protocol that has no IP addresses. */
export interface ProxyHeader {
  readonly length: number
  readonly endpoints: Endpoints | undefined
}

/** The header at the start of `bytes`, undefined while it is not whole. Throws RangeError when there is none. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  const start = bytes.subarray(0, signature.length)
  if (start.equals(signature.subarray(0, start.length))) return parseBinary(bytes)
  return parseLine(bytes)
}

function parseLine(bytes: Buffer): ProxyHeader | undefined {
  const start = bytes.toString('latin1', 0, 6)
  if (!'PROXY '.startsWith(start)) throw malformed()
  const end = bytes.subarray(0, lineBytes).indexOf('\r\n', 'latin1')
  if (end === -1) {
    if (bytes.length >= lineBytes) throw malformed()
    return undefined
  }
  const length = end + 2
  const words = bytes.toString('latin1', 6, end).split(' ')
  if (words[0] === 'UNKNOWN') return { length, endpoints: undefined }
  const [family, source, destination, sourcePort, destinationPort, ...more] = words
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined
  if (!isAddress || !source || !destination || more.length > 0) throw malformed()
  if (!isAddress(source) || !isAddress(destination) || source.includes('%')) throw malformed()
  const endpoints = {
    remoteAddress: normalizeIp(source),
    remotePort: parsePort(sourcePort),
    localAddress: normalizeIp(destination),
    localPort: parsePort(destinationPort),
    isProxied: true,
  }
  return { length, endpoints }
}

function parsePort(text: string | undefined): number {
  const port = text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : NaN
  if (!(port <= 65_535)) throw malformed()
  return port
}

function parseBinary(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < 16) return undefined
  const version = bytes.readUInt8(12) >> 4
  const command = bytes.readUInt8(12) & 0x0f
  const family = bytes.readUInt8(13)
  const addressBytes = bytes.readUInt16BE(14)
  const length = 16 + addressBytes
  if (version !== 2 || command > 1 || length > limits.net.proxyHeaderBytes) throw malformed()
  if (bytes.length < length) return undefined
  // LOCAL: the proxy's own connection. The addresses are to be ignored.
  if (command === 0) return { length, endpoints: undefined }
  const ipBytes = family === 0x11 ? 4 : family === 0x21 ? 16 : undefined
  // UNSPEC, datagrams and unix sockets: nothing that a mail server can use.
  if (ipBytes === undefined) return { length, endpoints: undefined }
  if (addressBytes < 2 * ipBytes + 4) throw malformed()
  const ip = (offset: number) => normalizeIp(formatIp(bytes.subarray(offset, offset + ipBytes)))
  const ports = 16 + 2 * ipBytes
  const endpoints = {
    remoteAddress: ip(16),
    remotePort: bytes.readUInt16BE(ports),
    localAddress: ip(16 + ipBytes),
    localPort: bytes.readUInt16BE(ports + 2),
    isProxied: true,
  }
  return { length, endpoints }
}

function malformed(): RangeError {
  return new RangeError('malformed PROXY protocol header')
}

/**
 * Reads the header off a fresh, paused socket and leaves everything after it unread. Gives `direct` when the proxy speaks for itself.
 * Throws RangeError, DeadlineExceeded, ConnectionClosed; the caller destroys the socket.
 */
export function readProxyHeader(socket: Socket, direct: Endpoints, timeoutMs: number): Promise<Endpoints> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    const late = () => finish(new ConnectionError('DeadlineExceeded', 'no PROXY protocol header came'))
    const ended = () => finish(new ConnectionError('ConnectionClosed', 'closed before its PROXY header'))
    const timer = setTimeout(late, timeoutMs)
    const finish = (result: Endpoints | Error) => {
      clearTimeout(timer)
      socket.off('readable', read)
      socket.off('end', ended)
      socket.off('close', ended)
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    const read = () => {
      for (let chunk = nextChunk(socket); chunk; chunk = nextChunk(socket)) {
        // A header is at most a few kilobytes, or malformed: this ends soon.
        bytes = Buffer.concat([bytes, chunk])
        const header = attempt(bytes)
        if (header instanceof Error) return finish(header)
        if (!header) continue
        const rest = bytes.subarray(header.length)
        if (rest.length > 0) socket.unshift(rest)
        return finish(header.endpoints ?? direct)
      }
    }
    socket.on('readable', read)
    socket.on('end', ended)
    socket.on('close', ended)
  })
}

function nextChunk(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null
}

function attempt(bytes: Buffer): ProxyHeader | undefined | Error {
  try {
    return parseProxyHeader(bytes)
  } catch (error) {
    if (error instanceof RangeError) return error
    throw error
  }
}
