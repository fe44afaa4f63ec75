// The server's certificates: loaded from PEM files, chosen by SNI, reloaded while running. RFC 6066 §3 (SNI), RFC 6125 §6.4.3 (wildcards),
// RFC 8314 §4 and RFC 9325 (versions and ciphers; implemented from what is known of them), RFC 7301 (ALPN).
import { randomBytes, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext, type TLSSocketOptions } from 'node:tls'
import type { TlsProvider } from './handshake.ts'

/** PEM files: the certificate with its chain, and its key; one file may hold both. */
export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface CertificateStoreOptions {
  /** The first serves clients that name no host, or one that no certificate is for. */
  readonly certificates: readonly [CertificateFiles, ...CertificateFiles[]]
  /** PEM file of authorities; given, clients are asked for a certificate (SASL EXTERNAL), and may come without. */
  readonly clientCaFile?: string
  /** 48 bytes that encrypt session tickets; the same in all threads, so that a session resumes in any of them. Made up when absent. */
  readonly ticketKeys?: Buffer
}

/** A certificate as it is served now. */
export interface ServedCertificate {
  readonly certFile: string
  /** Its DNS names, in lower case, wildcards as `*.example.org`. */
  readonly names: readonly string[]
  readonly notAfter: Date
}

/** A certificate file that cannot be used. What was served before is still served. */
export class CertificateError extends Error {
  readonly file: string

  constructor(file: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`certificate ${file}: ${why}`, { cause })
    this.name = 'CertificateError'
    this.file = file
  }
}

interface Loaded extends ServedCertificate {
  readonly context: SecureContext
}

/** Everything that a reload replaces at once. */
interface Generation {
  readonly certificates: readonly Loaded[]
  readonly byName: ReadonlyMap<string, SecureContext>
  readonly fallback: SecureContext
  readonly fingerprint: string
}

/** Forward secrecy and authenticated encryption only: Mozilla's intermediate list without DHE. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export class CertificateStore {
  readonly #options: CertificateStoreOptions
  #ticketKeys: Buffer
  #generation: Generation

  private constructor(options: CertificateStoreOptions, ticketKeys: Buffer, generation: Generation) {
    this.#options = options
    this.#ticketKeys = ticketKeys
    this.#generation = generation
  }

  /** Loads all files. Throws CertificateError. */
  static async load(options: CertificateStoreOptions): Promise<CertificateStore> {
    const ticketKeys = options.ticketKeys ?? randomBytes(48)
    return new CertificateStore(options, ticketKeys, await loadGeneration(options, ticketKeys))
  }

  get certificates(): readonly ServedCertificate[] {
    return this.#generation.certificates
  }

  /** Loads all files again, and then serves all of them or, throwing CertificateError, what was served before. */
  async reload(): Promise<void> {
    this.#generation = await loadGeneration(this.#options, this.#ticketKeys)
  }

  /** Reloads when a file has changed on disk. Whether it did. Throws CertificateError like `reload`. */
  async reloadIfChanged(): Promise<boolean> {
    if ((await fingerprint(this.#options)) === this.#generation.fingerprint) return false
    await this.reload()
    return true
  }

  /** Encrypts session tickets with another key from now on; outstanding tickets end in a full handshake. Do it daily: a stolen key opens a day. */
  async rotateTicketKeys(ticketKeys: Buffer = randomBytes(48)): Promise<void> {
    const generation = await loadGeneration(this.#options, ticketKeys)
    this.#ticketKeys = ticketKeys
    this.#generation = generation
  }

  /**
   * For `Connection.startTls` and `Listener`. `alpnProtocols`: the protocol's registered names ('imap', 'pop3', 'managesieve'); a client that offers
   * others only (a browser: 'h2', 'http/1.1') is refused with no_application_protocol, one that offers none is served (RFC 7301 §3.2, ALPACA).
   */
  provider(alpnProtocols: readonly string[]): TlsProvider {
    const asksForCertificate = this.#options.clientCaFile !== undefined
    const offered = wireForm(alpnProtocols)
    return {
      serverOptions: (): TLSSocketOptions => {
        const generation = this.#generation
        return {
          secureContext: generation.fallback,
          SNICallback: (name, done) => done(null, findContext(generation, name)),
          ALPNProtocols: offered,
          requestCert: asksForCertificate,
          // The session itself decides (SASL EXTERNAL): see `TlsInfo.clientCertificate`.
          rejectUnauthorized: false,
        }
      },
    }
  }
}

/**
 * A list of protocols as a client sends it. Node copies it for each connection, and what is no DataView into a piece of a pool of 64 KB, all of which then lives
 * as long as the connection.
 */
function wireForm(alpnProtocols: readonly string[]): DataView {
  const bytes = Uint8Array.from(alpnProtocols.flatMap(name => [name.length, ...Buffer.from(name, 'latin1')]))
  return new DataView(bytes.buffer)
}

function findContext(generation: Generation, name: string): SecureContext {
  const host = name.toLowerCase()
  // RFC 6125 §6.4.3: a wildcard stands for one whole label, the leftmost.
  const wildcard = `*${host.slice(host.indexOf('.'))}`
  return generation.byName.get(host) ?? generation.byName.get(wildcard) ?? generation.fallback
}

async function loadGeneration(options: CertificateStoreOptions, ticketKeys: Buffer): Promise<Generation> {
  // Before reading: a change in between is then seen as one by the next look.
  const before = await fingerprint(options)
  const ca = options.clientCaFile === undefined ? undefined : await readPem(options.clientCaFile)
  const [first, ...others] = options.certificates
  const fallback = await loadCertificate(first, ca, ticketKeys)
  const rest = await Promise.all(others.map(files => loadCertificate(files, ca, ticketKeys)))
  const certificates = [fallback, ...rest]
  const byName = new Map<string, SecureContext>()
  for (const { names, context } of certificates) {
    for (const name of names) if (!byName.has(name)) byName.set(name, context)
  }
  return { certificates, byName, fallback: fallback.context, fingerprint: before }
}

async function loadCertificate(
  { certFile, keyFile }: CertificateFiles,
  ca: Buffer | undefined,
  ticketKeys: Buffer,
): Promise<Loaded> {
  const [cert, key] = await Promise.all([readPem(certFile), readPem(keyFile)])
  try {
    const leaf = new X509Certificate(cert)
    // Throws when the key is not the certificate's.
    const context = createSecureContext({
      cert,
      key,
      ...(ca && { ca }),
      minVersion: 'TLSv1.2',
      ciphers,
      ticketKeys,
      // OpenSSL resumes sessions with client certificates only within a named context.
      sessionIdContext: 'restante',
    })
    return { certFile, names: dnsNames(leaf), notAfter: leaf.validToDate, context }
  } catch (error) {
    throw new CertificateError(certFile, error)
  }
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new CertificateError(file, error)
  }
}

/** Names in odd forms (Node quotes them as JSON) are left out: no host has them. */
function dnsNames(certificate: X509Certificate): string[] {
  const entries = (certificate.subjectAltName ?? '').split(', ')
  return entries.flatMap(entry => {
    const name = /^DNS:([A-Za-z0-9*._-]+)$/.exec(entry)?.[1]
    return name === undefined ? [] : [name.toLowerCase()]
  })
}

/** What changes when a file is written or replaced. */
async function fingerprint({ certificates, clientCaFile }: CertificateStoreOptions): Promise<string> {
  const files = certificates.flatMap(({ certFile, keyFile }) => [certFile, keyFile])
  if (clientCaFile !== undefined) files.push(clientCaFile)
  const seen = await Promise.all(
    files.map(async file => {
      try {
        const { ino, size, mtimeMs } = await stat(file)
        return `${ino}:${size}:${mtimeMs}`
      } catch (error) {
        throw new CertificateError(file, error)
      }
    }),
  )
  return seen.join(' ')
}
