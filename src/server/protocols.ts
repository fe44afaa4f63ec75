// What is spoken behind each door. A protocol is loaded when its first client comes.
import type { Connection } from '../net/connection.ts'
import type { TlsProvider } from '../net/handshake.ts'
import type { App } from './app.ts'
import type { MailProtocol } from './doors.ts'

/** Runs one session until it ends; never rejects because of what a peer did. */
export type Serve = (connection: Connection, app: App, tls: TlsProvider) => Promise<void>

const protocols: Readonly<Partial<Record<MailProtocol, () => Promise<Serve>>>> = {
  imap: async () => {
    const { serveImap } = await import('../imap/serve.ts')
    return (connection, app, tls) => serveImap(connection, { ...app, tls })
  },
}

/** The session of a protocol. */
export function loadProtocol(protocol: MailProtocol): Promise<Serve> {
  const load = protocols[protocol]
  if (!load) throw new Error(`${protocol} is not built in`)
  return load()
}
