// The library: `import { createMailServer } from 'restante'`. The one public door; docs/library.md tells of it.
import { MailServer } from './library/mail-server.ts'
import type { MailServerOptions } from './library/options.ts'

/**
 * Starts a mail server in this process: every protocol on a free port of 127.0.0.1.
 *
 * ```ts
 * await using server = await createMailServer()
 * await server.accounts.create('ann@example.org', 'secret')
 * // … your program sends mail to server.ports.smtp …
 * const message = await server.waitForMessage('ann@example.org', { subject: 'Your code' })
 * message.codes[0]
 * ```
 */
export function createMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  return MailServer.start(options)
}

export type { Clock } from './base/clock.ts'
export type { Log, LogFields } from './base/log.ts'
export type { Account, Accounts, NewAccountOptions } from './library/accounts.ts'
export type { MailServerEvent, MailServerEvents } from './library/events.ts'
export type { ImportOptions, MailServer, Ports, WaitOptions } from './library/mail-server.ts'
export type { MessageFilter, MessagePredicate } from './library/message-filter.ts'
export type { HookedConnection, MailServerHooks, MailServerOptions } from './library/options.ts'
export type { Attachment, Link, MailAddress, ReceivedMessage } from './library/received-message.ts'
export type { ImportProblem, ImportReport } from './server/archive/importer.ts'
export { StoreError, type StoreErrorCode } from './store/error.ts'
