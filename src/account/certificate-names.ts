// Who a verified client certificate says it is, for EXTERNAL. RFC 4422 appendix A; RFC 5280 §4.1.2.6, §4.2.1.6.
import type { X509Certificate as NodeCertificate } from 'node:crypto'
import type { LoginConfig } from './config.ts'

/** The names that may be an account, by the configured mapping. Read from the certificate itself: Node's text form of it is ambiguous (CVE-2021-44532). */
export async function certificateNames(
  certificate: NodeCertificate,
  mapping: LoginConfig['certificate'],
): Promise<readonly string[]> {
  if (mapping === 'none') return []
  // Loaded here: few servers ask for client certificates, and the library is megabytes of each thread's memory.
  await import('reflect-metadata')
  const { SubjectAlternativeNameExtension, X509Certificate } = await import('@peculiar/x509')
  const parsed = new X509Certificate(new Uint8Array(certificate.raw))
  if (mapping === 'common-name') return parsed.subjectName.getField('CN')
  const names: string[] = []
  for (const extension of parsed.getExtensions(SubjectAlternativeNameExtension)) {
    for (const name of extension.names.items) if (name.type === 'email') names.push(name.value)
  }
  return names
}
