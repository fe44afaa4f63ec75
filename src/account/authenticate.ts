// A SASL exchange of any mechanism, for all protocols. RFC 4422; RFC 5802 §6 (channel binding); RFC 8314 §3.
import { limits } from '../base/limits.ts'
import type { SaslContext, SaslCredentials, SaslFailure, SaslMechanism } from '../sasl/mechanism.ts'
import { findMechanism } from '../sasl/mechanisms.ts'
import type { Identity } from './identity.ts'
import type { Attempt, Login } from './login.ts'
import { LoginError } from './login-error.ts'
import type { LoginPeer } from './login-peer.ts'
import { scopes as allScopes } from './scope.ts'
import { scramKinds } from './scram-secret.ts'
import type { CredentialKind } from '../store/read/credential.ts'

/** The mechanisms that may be offered to this peer now, given TLS, loopback and configuration, best first. Ask again after STARTTLS. */
export function mechanisms(login: Login, peer: LoginPeer): readonly string[] {
  const offered: string[] = []
  for (const name of login.config.mechanisms) {
    const mechanism = findMechanism(name)
    if (!mechanism || !isAvailable(login, peer, mechanism)) continue
    if (mechanism.revealsSecret && !login.mayReveal(peer)) continue
    offered.push(mechanism.name)
  }
  return offered
}

/**
 * Runs one exchange. `initialResponse` is decoded already (an empty Buffer for `=`); `ask` sends a challenge (encoding it for its protocol) and gives the
 * client's decoded answer; it throws `LoginError` `cancelled` for `*` and `malformed` for bad base64. Throws `LoginError`.
 */
export async function authenticate(
  login: Login,
  peer: LoginPeer,
  mechanism: string,
  initialResponse: Buffer | undefined,
  ask: (challenge: Buffer) => Promise<Buffer>,
): Promise<Identity> {
  const found = findMechanism(mechanism)
  const isConfigured = login.config.mechanisms.some(name => name.toUpperCase() === found?.name)
  if (!found || !isConfigured || !isAvailable(login, peer, found)) {
    throw new LoginError('unknown-mechanism', 'no such mechanism here')
  }
  if (found.revealsSecret && !login.mayReveal(peer)) {
    throw new LoginError('needs-tls', `${found.name} in the clear`)
  }
  const credentials = new ExchangeCredentials(login, peer, found.name)
  const exchange = found.start(contextOf(login, peer, credentials))
  try {
    let step = await exchange.next(initialResponse)
    // Every mechanism ends by itself after a few steps; the bound is for the one that does not.
    for (let turn = 0; step.kind === 'challenge'; turn++) {
      if (turn >= limits.sasl.challenges) throw new LoginError('malformed', 'the exchange has no end')
      step = await exchange.next(await ask(step.data))
    }
    if (step.kind === 'done') {
      await credentials.confirm()
      return step.identity
    }
    throw credentials.failure(step.reason)
  } catch (error) {
    credentials.abandon()
    throw error
  }
}

function isAvailable(login: Login, peer: LoginPeer, mechanism: SaslMechanism): boolean {
  switch (mechanism.needs) {
    case 'nothing':
      return mechanism.name.includes('OAUTH') ? login.tokens.isConfigured : true
    case 'channel-binding':
      return hasChannelBinding(peer)
    case 'client-certificate':
      return login.config.certificate !== 'none' && peer.tls?.clientCertificate !== undefined
    case 'opt-in':
      return mechanism.name === 'ANONYMOUS'
        ? peer.protocol === 'imap' && login.config.anonymousAccount !== undefined
        : login.config.sharedSecrets
  }
}

function hasChannelBinding(peer: LoginPeer): boolean {
  const tls = peer.tls
  if (!peer.secure || !tls) return false
  return (
    tls.channelBinding('tls-exporter') !== undefined ||
    tls.channelBinding('tls-server-end-point') !== undefined
  )
}

function contextOf(
  login: Login,
  peer: LoginPeer,
  credentials: SaslCredentials<Identity>,
): SaslContext<Identity> {
  const offered = mechanisms(login, peer)
  return {
    credentials,
    // Exactly when a -PLUS mechanism was offered: a client that says `y` then was lied to (RFC 5802 §6).
    channelBinding: offered.some(name => name.endsWith('-PLUS'))
      ? type => peer.tls?.channelBinding(type)
      : undefined,
    clientCertificate: peer.tls?.clientCertificate,
    hostname: login.hostname,
    oauth: login.tokens.discovery,
    now: () => login.clock.now(),
    randomBytes: login.randomBytes,
  }
}

/** What the mechanism of one exchange may ask; remembers the attempt between its steps. */
class ExchangeCredentials implements SaslCredentials<Identity> {
  readonly #login: Login
  readonly #peer: LoginPeer
  readonly #mechanism: string
  #attempt: Attempt | undefined
  /** What the proof is over. */
  #kind: CredentialKind = 'shared-secret'

  constructor(login: Login, peer: LoginPeer, mechanism: string) {
    this.#login = login
    this.#peer = peer
    this.#mechanism = mechanism
  }

  async verifyPassword(authzid: string, authcid: string, password: string): Promise<Identity | undefined> {
    return this.#login.checkPassword(this.#peer, this.#mechanism, authzid, authcid, password)
  }

  async scramKeys(authcid: string, hash: 'sha1' | 'sha256') {
    this.#attempt = await this.#login.begin(this.#peer, this.#mechanism, authcid)
    this.#kind = scramKinds[hash]
    return this.#login.scramKeys(this.#attempt, hash)
  }

  async cramSecret(authcid: string): Promise<Buffer | undefined> {
    this.#attempt = await this.#login.begin(this.#peer, this.#mechanism, authcid)
    const row = this.#login.sharedSecretOf(this.#attempt)
    return row && Buffer.from(row.secret)
  }

  async authorize(authzid: string): Promise<Identity | undefined> {
    if (!this.#attempt) throw new Error('a proof was right before its keys were asked for')
    const proved = this.#login.credentialOf(this.#attempt, this.#kind)
    return this.#login.end(this.#attempt, allScopes, authzid, proved)
  }

  async verifyToken(authzid: string, token: string): Promise<Identity | undefined> {
    return this.#login.checkToken(this.#peer, this.#mechanism, authzid, token)
  }

  async verifyCertificate(
    authzid: string,
    certificate: Parameters<Login['checkCertificate']>[2],
  ): Promise<Identity | undefined> {
    return this.#login.checkCertificate(this.#peer, authzid, certificate)
  }

  async anonymous(): Promise<Identity | undefined> {
    return this.#login.anonymous(this.#peer)
  }

  /** At the end of an exchange whose client took its time: throws where its proof is of something that is not so any more. */
  async confirm(): Promise<void> {
    const attempt = this.#attempt
    if (attempt && !(await this.#login.stillHolds(attempt, this.#kind))) throw this.#login.refuse(attempt)
  }

  /** The error for a mechanism that has failed by itself; a wrong proof is counted. */
  failure(reason: SaslFailure): LoginError {
    if (reason === 'malformed') return new LoginError('malformed', `not what ${this.#mechanism} allows`)
    if (this.#attempt) return this.#login.refuse(this.#attempt)
    return new LoginError('bad-credentials', reason)
  }

  /** The exchange ended without a verdict: nothing was tried. */
  abandon(): void {
    this.#attempt?.settle('void')
  }
}
