// What a mail program needs to know, from what is really listening. RFC 8314 §3.
import type { MailSettings, ServiceSetting } from '../http/settings-page.ts'
import { type DoorName, doors, isLocalOnly, type Listen } from './listen.ts'

const purposes: readonly (readonly [DoorName, string, string])[] = [
  ['imaps', 'IMAP', 'reading, best'],
  ['imap', 'IMAP', 'reading'],
  ['pop3s', 'POP3', 'fetching to one device, best'],
  ['pop3', 'POP3', 'fetching to one device'],
  ['submissions', 'SMTP', 'sending, best'],
  ['submission', 'SMTP', 'sending'],
]

/** The doors that mail programs use, best first. */
export function mailSettings(hostname: string, listen: Listen): MailSettings {
  const services: ServiceSetting[] = []
  for (const [door, protocol, purpose] of purposes) {
    for (const address of listen[door] ?? []) {
      if (address.kind === 'unix') continue
      const host = isLocalOnly(address) ? address.host : hostname
      services.push({
        protocol,
        purpose,
        host,
        port: address.port,
        security: doors[door].implicitTls ? 'TLS' : 'STARTTLS',
      })
    }
  }
  return { hostname, services }
}
