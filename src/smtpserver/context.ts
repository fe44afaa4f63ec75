// What a session is given by the server.
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
  readonly config: DeliveryContext['config'] & { readonly smtp: SmtpServerConfig }
}
