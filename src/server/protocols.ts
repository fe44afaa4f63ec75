// What is spoken behind each door. A protocol is loaded when its first client comes.
import type { Connection } from '../net/connection.ts'
import type { TlsProvider } from '../net/handshake.ts'
import type { App } from './app.ts'
import type { MailProtocol } from './doors.ts'

/** Runs one session until it ends; never rejects because of what a peer did. */
export type Serve = (connection: Connection, app: App, tls: TlsProvider) => Promise<void>

const protocols: Readonly<Record<MailProtocol, () => Promise<Serve>>> = {
  imap: async () => {
    const { serveImap } = await import('../imap/serve.ts')
    return (connection, app, tls) => serveImap(connection, { ...app, tls })
  },
  pop3: async () => {
    const { servePop3 } = await import('../pop3/serve.ts')
    return (connection, app, tls) => servePop3(connection, { ...app, tls })
  },
  smtp: async () => {
    const { serveSmtp } = await import('../smtpserver/serve.ts')
    return (connection, app, tls) => serveSmtp(connection, { ...app, tls })
  },
  submission: async () => {
    const { serveSubmission } = await import('../smtpserver/serve.ts')
    return (connection, app, tls) => serveSubmission(connection, { ...app, tls })
  },
  lmtp: async () => {
    const { serveLmtp } = await import('../smtpserver/serve.ts')
    return (connection, app, tls) => serveLmtp(connection, { ...app, tls })
  },
}

/** The session of a protocol. */
export function loadProtocol(protocol: MailProtocol): Promise<Serve> {
  return protocols[protocol]()
}
