// The contract of every SASL mechanism, server side. RFC 4422.
//
// An exchange is a small state machine: it takes the client's decoded responses and says what is next. It knows nothing of accounts, base64 or
// protocols; it asks `SaslCredentials`. Whatever bytes come, it never throws for them: it answers `failed`. It throws only what the credentials throw
// (a directory that is down, a limiter), which the caller tells the client as temporary.
import type { X509Certificate } from 'node:crypto'
import type { Awaitable } from '../base/awaitable.ts'
import type { ScramHash, ScramKeys } from './scram-keys.ts'

export type SaslFailure =
  /** Not what the mechanism's grammar allows. */
  | 'malformed'
  /** Unknown name, wrong secret, or not allowed to act as the authzid: one answer. */
  | 'bad-credentials'
  /** Channel binding is wrong, missing, or was talked away (a downgrade). */
  | 'channel-binding'

export type SaslStep<Identity> =
  /** Send `data` and call `next` with the client's answer. */
  | { readonly kind: 'challenge'; readonly data: Buffer }
  | { readonly kind: 'done'; readonly identity: Identity }
  /** `authcid`: the name that was tried, for limiter and log, where it got that far. */
  | { readonly kind: 'failed'; readonly reason: SaslFailure; readonly authcid?: string }

export interface SaslExchange<Identity> {
  /** `response` is undefined only at first, when the client sent no initial response. Not to be called again after `done` or `failed`. */
  next(response: Buffer | undefined): Awaitable<SaslStep<Identity>>
}

/** Where mechanisms ask. All names and passwords come prepared (SASLprep); `authzid` is '' when the client gave none. Undefined is a refusal. */
export interface SaslCredentials<Identity> {
  verifyPassword(authzid: string, authcid: string, password: string): Promise<Identity | undefined>
  /** Keys for an unknown name too, made up but always the same (`fakeScramKeys`), so that names cannot be probed. */
  scramKeys(authcid: string, hash: ScramHash): Promise<ScramKeys>
  /** The shared secret of an account that has opted in to CRAM-MD5. */
  cramSecret(authcid: string): Promise<Buffer | undefined>
  /** After a proof was right: may `authcid` act as `authzid`, and who is that? */
  authorize(authzid: string, authcid: string): Promise<Identity | undefined>
  verifyToken(authzid: string, token: string): Promise<Identity | undefined>
  /** Of a verified certificate. */
  verifyCertificate(authzid: string, certificate: X509Certificate): Promise<Identity | undefined>
  /** `trace` is what the client says of itself, unchecked. */
  anonymous(trace: string): Promise<Identity | undefined>
}

export type ChannelBinding = (
  type: 'tls-exporter' | 'tls-server-end-point' | 'tls-unique',
) => Buffer | undefined

export interface SaslContext<Identity> {
  readonly credentials: SaslCredentials<Identity>
  /** Given exactly when -PLUS mechanisms were offered to this client: SCRAM's downgrade check stands on it. */
  readonly channelBinding?: ChannelBinding | undefined
  /** Verified by TLS. */
  readonly clientCertificate?: X509Certificate | undefined
  /** For CRAM-MD5's challenge. */
  readonly hostname: string
  /** What OAUTHBEARER tells a client whose token was refused. RFC 7628 §3.2.2. */
  readonly oauth?: { readonly scope?: string; readonly openidConfiguration?: string } | undefined
  readonly now: () => number
  readonly randomBytes: (count: number) => Buffer
}

export interface SaslMechanism {
  readonly name: string
  /** Shows the password or token to whoever listens: only under TLS or on loopback. */
  readonly revealsSecret: boolean
  /** What must be there for it to be offered. */
  readonly needs: 'nothing' | 'channel-binding' | 'client-certificate' | 'opt-in'
  start<Identity>(context: SaslContext<Identity>): SaslExchange<Identity>
}

/** `failed`, with the name where it is known. */
export function failed(
  reason: SaslFailure,
  authcid?: string,
): { kind: 'failed'; reason: SaslFailure; authcid?: string } {
  return authcid === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, authcid }
}

/** `done` with who it is, or `failed` when the credentials refused. */
export function verdict<Identity>(identity: Identity | undefined, authcid?: string): SaslStep<Identity> {
  return identity === undefined ? failed('bad-credentials', authcid) : { kind: 'done', identity }
}

export function challenge(data: Buffer | string): { kind: 'challenge'; data: Buffer } {
  return { kind: 'challenge', data: typeof data === 'string' ? Buffer.from(data) : data }
}
