// A self-signed certificate for the demo, the laptop and the first start. RFC 5280; EC P-256.
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { CertificateFiles } from './tls.ts'

const dayMs = 86_400_000
/** Apple's programs refuse certificates of more than 825 days. */
const validDays = 820
const renewDays = 30

export interface SelfSignedOptions {
  /** Where `self-signed.pem` is kept. */
  readonly folder: string
  /** Host names and IP addresses; the first is the subject. */
  readonly names: readonly [string, ...string[]]
  readonly now: () => number
}

/**
 * The files of a self-signed certificate for these names, made when there is none, when it is for other names, broken, or within 30 days of its end.
 * Key and certificate are one file with mode 0600, replaced by a rename: no reader ever sees half of it or a wrong pair.
 */
export async function ensureSelfSigned({ folder, names, now }: SelfSignedOptions): Promise<CertificateFiles> {
  const file = join(folder, 'self-signed.pem')
  if (!(await isUsable(file, names, now()))) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await replace(file, await makeSelfSigned(names, now()))
  }
  return { certFile: file, keyFile: file }
}

async function isUsable(file: string, names: readonly string[], nowMs: number): Promise<boolean> {
  let pem: Buffer
  try {
    pem = await readFile(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
  try {
    const certificate = new X509Certificate(pem)
    const isPair = certificate.checkPrivateKey(createPrivateKey(pem))
    const leftMs = certificate.validToDate.getTime() - nowMs
    return isPair && leftMs > renewDays * dayMs && names.every(name => isFor(certificate, name))
  } catch {
    // Cut off or no certificate at all: it is ours to replace.
    return false
  }
}

function isFor(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined
}

async function makeSelfSigned(names: readonly [string, ...string[]], nowMs: number): Promise<string> {
  // Loaded here: most starts need no certificate, and the library takes a tenth of a second.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const alternatives = names.map(value => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }))
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // RFC 5280 §4.1.2.2: positive, at most 20 octets.
    serialNumber: `5${randomBytes(15).toString('hex')}0`.slice(0, 30),
    name: [{ CN: [names[0]] }],
    notBefore: new Date(nowMs - dayMs),
    notAfter: new Date(nowMs + validDays * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(alternatives),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n${certificate.toString('pem')}\n`
}

async function replace(file: string, text: string): Promise<void> {
  const partial = `${file}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(partial, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, file)
}
