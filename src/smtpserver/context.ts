// What a session is given by the server.
import type { ByteBudget } from '../base/byte-budget.ts'
import type { Login } from '../account/login.ts'
import type { DeliveryContext } from '../delivery/context.ts'
import type { TlsProvider } from '../net/handshake.ts'
import type { SmtpServerConfig } from './config.ts'

/** Receiving (25), submission (587, 465; RFC 6409) or local delivery (RFC 2033). */
export type SmtpService = 'smtp' | 'submission' | 'lmtp'

/** What all three services are given. */
export interface SmtpContext extends DeliveryContext {
  readonly login: Login
  /** For STARTTLS; without it STARTTLS is not offered. */
  readonly tls?: TlsProvider | undefined
  /** One per thread: large messages are held whole while they are finished, and many may end at once. */
  readonly largeMessages: ByteBudget
  readonly config: DeliveryContext['config'] & { readonly smtp: SmtpServerConfig }
}
