// Which certificates the server shows: those of the configuration, or a self-signed one that it makes for itself.
import { join } from 'node:path'
import { ensureSelfSigned } from '../net/self-signed.ts'
import type { CertificateStoreOptions } from '../net/tls.ts'
import type { TlsProvider } from '../net/handshake.ts'
import type { Clock } from '../base/clock.ts'
import type { CertificateStore } from '../net/tls.ts'
import type { Config } from './config.ts'
import type { MailProtocol } from './doors.ts'

/** The names by which ALPN knows what is spoken (RFC 7301); `smtp` is not registered, and keeps browsers out all the same (ALPACA). */
const alpnNames: Readonly<Record<MailProtocol, string>> = {
  imap: 'imap',
  pop3: 'pop3',
  smtp: 'smtp',
  submission: 'smtp',
  lmtp: 'lmtp',
}

/** What the threads load. Makes a self-signed certificate, kept in the data folder, when the configuration names none. */
export async function certificateFiles(
  { tls, dataDir, hostname }: Pick<Config, 'tls' | 'dataDir' | 'hostname'>,
  clock: Clock,
): Promise<Omit<CertificateStoreOptions, 'ticketKeys'>> {
  const [first, ...others] = tls.certificates
  const clientCa = tls.clientCaFile === undefined ? {} : { clientCaFile: tls.clientCaFile }
  if (first) return { certificates: [first, ...others], ...clientCa }
  const names = [...new Set([hostname, 'localhost', '127.0.0.1', '::1'])] as [string, ...string[]]
  const files = await ensureSelfSigned({ folder: join(dataDir, 'tls'), names, now: () => clock.now() })
  return { certificates: [files], ...clientCa }
}

/** The handshakes of one protocol. */
export function providerFor(certificates: CertificateStore, protocol: MailProtocol): TlsProvider {
  return certificates.provider([alpnNames[protocol]])
}
