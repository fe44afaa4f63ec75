// A throw-away certificate for tests, made once per process.
import 'reflect-metadata'
import { X509CertificateGenerator, SubjectAlternativeNameExtension, PemConverter } from '@peculiar/x509'
import { webcrypto } from 'node:crypto'

export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

/** A self-signed EC P-256 certificate for these DNS names. */
export async function testCertificate(...names: string[]): Promise<TestCertificate> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${names[0] ?? 'localhost'}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    extensions: [new SubjectAlternativeNameExtension(names.map(value => ({ type: 'dns', value })))],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') }
}
