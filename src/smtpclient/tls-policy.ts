// What TLS a server is asked for. RFC 3207 §4.1; RFC 7435 (opportunistic). DANE (RFC 7672) and MTA-STS (RFC 8461) are other policies of this shape.
import { isIP } from 'node:net'
import type { ConnectionOptions as TlsClientOptions } from 'node:tls'

export type TlsDemand =
  /** In the clear. */
  | { readonly kind: 'none' }
  /** STARTTLS where it is offered, whatever the certificate; in the clear where it is not or fails. */
  | { readonly kind: 'opportunistic'; readonly options: TlsClientOptions }
  /** STARTTLS, and a certificate that `options` accept, or nothing is sent. */
  | { readonly kind: 'required'; readonly options: TlsClientOptions }
  /** TLS from the first byte. */
  | { readonly kind: 'implicit'; readonly options: TlsClientOptions }

/** Asked for each server before it is connected to; a rejection (SmtpClientError) keeps mail from it. */
export type TlsPolicy = (domain: string, host: string) => Promise<TlsDemand> | TlsDemand

/** Encrypts where it can and trusts anyone: better than nothing, and no less deliverable. */
export const opportunisticTls: TlsPolicy = (_domain, host) => ({
  kind: 'opportunistic',
  options: { ...serverName(host), rejectUnauthorized: false },
})

/** SNI for a host name; none for an IP address (RFC 6066 §3). */
export function serverName(host: string): TlsClientOptions {
  return isIP(host) === 0 ? { servername: host } : {}
}
