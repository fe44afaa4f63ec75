// What is spoken behind each door. A protocol is loaded when its first client comes.
import { setTimeout } from 'node:timers/promises'
import type { Connection } from '../net/connection.ts'
import type { TlsProvider } from '../net/handshake.ts'
import { PiecePool } from '../net/piece-pool.ts'
import type { App } from './app.ts'
import type { MailProtocol } from './doors.ts'
import type { Protocol } from './listen.ts'

/** Runs one session until it ends; never rejects because of what a peer did. */
export type Serve = (connection: Connection) => Promise<void>

/** What the sessions of one protocol share. */
type Context = App & { readonly tls: TlsProvider | undefined }

const protocols: Readonly<Record<MailProtocol, (context: Context) => Promise<Serve>>> = {
  imap: async context => {
    const { serveImap } = await import('../imap/serve.ts')
    const { ImageConverter } = await import('../imap/convert/image-converter.ts')
    const { OrderCache } = await import('../imap/sort/order-cache.ts')
    const { RowsAhead } = await import('../imap/fetch/rows-ahead.ts')
    const { Ascending } = await import('../base/ascending.ts')
    const shared = {
      ...context,
      images: new ImageConverter(),
      orders: new OrderCache(),
      rowsAhead: new RowsAhead(),
      ascending: new Ascending(),
    }
    return connection => serveImap(connection, shared)
  },
  pop3: async context => {
    const { servePop3 } = await import('../pop3/serve.ts')
    return connection => servePop3(connection, context)
  },
  smtp: async context => {
    const { serveSmtp } = await import('../smtpserver/serve.ts')
    return connection => serveSmtp(connection, context)
  },
  submission: async context => {
    const { serveSubmission } = await import('../smtpserver/serve.ts')
    return connection => serveSubmission(connection, context)
  },
  lmtp: async context => {
    const { serveLmtp } = await import('../smtpserver/serve.ts')
    return connection => serveLmtp(connection, context)
  },
}

type Rehearse = (
  context: Context,
  isAlone: () => boolean,
  pause: () => Promise<void>,
) => Promise<readonly string[]>

/** Who comes in the second after a start is served by one thread, and another one's rehearsal would take the processors that he could use. */
const pauseMs = 1000

const rehearsals: Readonly<Partial<Record<Protocol, Rehearse>>> = {
  imap: async (context, isAlone, pause) => {
    const { rehearseImap } = await import('../imap/rehearsal.ts')
    const { OrderCache } = await import('../imap/sort/order-cache.ts')
    const { RowsAhead } = await import('../imap/fetch/rows-ahead.ts')
    const { Ascending } = await import('../base/ascending.ts')
    const shared = { orders: new OrderCache(), rowsAhead: new RowsAhead(), ascending: new Ascending() }
    return rehearseImap({ ...context, ...shared }, isAlone, pause)
  },
  pop3: async (context, isAlone, pause) => {
    const { rehearsePop3 } = await import('../pop3/rehearsal.ts')
    return rehearsePop3(context, isAlone, pause)
  },
}

/** Runs what the first clients of these protocols will ask for, what takes longer after a pause and only while `isAlone`; the commands that were refused. */
export async function rehearse(
  spoken: ReadonlySet<Protocol>,
  app: App,
  isAlone: () => boolean,
): Promise<readonly string[]> {
  const refused: string[] = []
  // One pause for all of them.
  let paused: Promise<void> | undefined
  const pause = () => (paused ??= setTimeout(pauseMs, undefined, { ref: false }))
  for (const protocol of spoken) {
    // Nothing of it is to be left in what sessions share.
    const context = { ...app, tls: undefined, pieces: new PiecePool() }
    refused.push(...((await rehearsals[protocol]?.(context, isAlone, pause)) ?? []))
  }
  return refused
}

/** The sessions of a protocol, all with one context. */
export function loadProtocol(protocol: MailProtocol, app: App, tls: TlsProvider): Promise<Serve> {
  return protocols[protocol]({ ...app, tls })
}
