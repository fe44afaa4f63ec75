// Checks who someone is, for every protocol. RFC 4422; RFC 9051 §6.2; RFC 8314 §3 (no passwords in the clear).
//
// Invariants:
// - An unknown name, a disabled account and a wrong password get one answer after the same work: `bad-credentials`, after one hash.
// - Whether a stored credential is right is asked of the store each time; only the hashing is remembered. So a change takes effect at once, everywhere.
// - The limiter sees an attempt before anything is verified, and each attempt once.
// - No password, token or other secret reaches a log line or an error; a name only when it is an account's.
import { isUtf8 } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleepFor } from 'node:timers/promises'
import type { X509Certificate } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import { preparePassword } from '../sasl/prepare.ts'
import { fakeScramKeys, type ScramHash, type ScramKeys } from '../sasl/scram-keys.ts'
import { QueueFull } from '../sasl/turns.ts'
import {
  type CredentialKind,
  type CredentialRow,
  findLogin,
  type LoginCredentials,
  type LoginRow,
} from '../store/read/credential.ts'
import { parseAddress } from './address.ts'
import { findAppPassword } from './app-password.ts'
import { certificateNames } from './certificate-names.ts'
import type { LoginConfig } from './config.ts'
import type { Directory } from './directory.ts'
import type { Identity, Proof } from './identity.ts'
import { LoginError } from './login-error.ts'
import type { Admission, LoginLimiter } from './login-limiter.ts'
import type { LoginPeer } from './login-peer.ts'
import { OpenSessions } from './open-sessions.ts'
import { parseScopes, type Scope, scopes as allScopes } from './scope.ts'
import { parseScramKeys, scramKinds } from './scram-secret.ts'
import { allocateSessionCounts, SessionCounts } from './session-counts.ts'
import { deriveCredentials, passwordSecretName } from './set-password.ts'
import { VerifiedPasswords } from './verified-passwords.ts'
import { TokenVerifier } from './verify-token.ts'

export interface LoginOptions {
  readonly directory: Directory
  readonly limiter: LoginLimiter
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Named in CRAM-MD5's challenge. */
  readonly hostname: string
  /** What is counted of sessions in all threads; by itself when absent. */
  readonly counts?: SessionCounts | undefined
  /** Hears how each attempt ended; what it throws is a bug of its own. */
  readonly onResult?: ((result: LoginResult) => void) | undefined
  readonly sleep?: (ms: number) => Promise<void>
  readonly randomBytes?: (count: number) => Buffer
}

/** How an attempt ended, for who watches. */
export interface LoginResult {
  readonly protocol: Scope
  readonly mechanism: string
  /** Undefined for a name that is no account's. */
  readonly account: string | undefined
  readonly result: 'success' | 'bad-credentials' | 'limited' | 'scope'
}

/** One log-in under way: admitted by the limiter, with what the directory knows of the name. */
export interface Attempt {
  readonly peer: LoginPeer
  readonly mechanism: string
  /** The normalised name, known or not. */
  readonly name: string
  readonly row: LoginRow | undefined
  readonly settle: (outcome: 'success' | 'failure' | 'void') => void
}

/** One per protocol thread. */
export class Login {
  readonly config: LoginConfig
  readonly hostname: string
  readonly clock: Clock
  readonly tokens: TokenVerifier
  readonly randomBytes: (count: number) => Buffer
  /** Where each session begins once its log-in has succeeded. */
  readonly sessions: OpenSessions
  readonly #directory: Directory
  readonly #limiter: LoginLimiter
  readonly #log: Log
  readonly #metrics: Metrics
  readonly #onResult: ((result: LoginResult) => void) | undefined
  readonly #sleep: (ms: number) => Promise<void>
  readonly #verified: VerifiedPasswords
  #saltSecret: Promise<Buffer> | undefined

  constructor(options: LoginOptions) {
    this.config = options.directory.config.login
    this.hostname = options.hostname
    this.clock = options.clock
    this.randomBytes = options.randomBytes ?? randomBytes
    this.tokens = new TokenVerifier(this.config.issuers, options.clock)
    this.sessions = new OpenSessions({
      store: options.directory.store,
      log: options.log,
      counts: options.counts ?? new SessionCounts(0, allocateSessionCounts()),
      most: this.config.maxSessions,
    })
    this.#directory = options.directory
    this.#limiter = options.limiter
    this.#log = options.log
    this.#metrics = options.metrics
    this.#onResult = options.onResult
    this.#sleep = options.sleep ?? (ms => sleepFor(ms, undefined, { ref: false }))
    this.#verified = new VerifiedPasswords(options.clock, this.config.cacheMinutes * 60_000)
  }

  /** Whether a password or token may be shown on this connection: TLS, or it does not leave the machine. */
  mayReveal(peer: LoginPeer): boolean {
    return peer.secure || peer.isLoopback || this.config.allowPlaintext
  }

  /** The address of the account that somebody means by a name that he could log in with; there need not be one. */
  addressOf(name: string): string | undefined {
    return parseAddress(name, this.#directory.config.addressing)?.address
  }

  /** Checks a name and a password as LOGIN and USER/PASS give them (a Buffer must be UTF-8). Throws `LoginError`. */
  async password(peer: LoginPeer, name: string | Buffer, password: string | Buffer): Promise<Identity> {
    if (!this.mayReveal(peer)) throw new LoginError('needs-tls', 'a password in the clear')
    return this.checkPassword(peer, 'password', '', textOf(name) ?? '', textOf(password) ?? '')
  }

  /**
   * Checks a digest over a shared secret (APOP); `isRight` is called once, with undefined for a name that has none, and takes the same time then.
   * Throws `LoginError`.
   */
  async digest(
    peer: LoginPeer,
    name: string | Buffer,
    isRight: (secret: string | undefined) => boolean,
  ): Promise<Identity> {
    const attempt = await this.begin(peer, 'APOP', textOf(name) ?? '')
    const secret = this.sharedSecretOf(attempt)
    const right = isRight(secret?.secret)
    return this.end(attempt, right && secret ? allScopes : undefined, '', secret)
  }

  /** A password of any mechanism, already allowed on this connection; `authzid` is '' for none. */
  async checkPassword(
    peer: LoginPeer,
    mechanism: string,
    authzid: string,
    name: string,
    password: string,
  ): Promise<Identity> {
    const attempt = await this.#begin(peer, mechanism, name, 'no-scram')
    try {
      const credential = await this.#matching(attempt, password)
      return await this.end(attempt, credential && parseScopes(credential.scopes), authzid, credential)
    } catch (error) {
      attempt.settle('void')
      throw error instanceof QueueFull ? new LoginError('unavailable', 'too many log-ins wait') : error
    }
  }

  /** Admits an attempt, holds it up where the limiter says so, and looks the name up. Throws `LoginError` `limited`, `unavailable`. */
  begin(peer: LoginPeer, mechanism: string, name: string): Promise<Attempt> {
    return this.#begin(peer, mechanism, name, 'all')
  }

  async #begin(
    peer: LoginPeer,
    mechanism: string,
    name: string,
    credentials: LoginCredentials,
  ): Promise<Attempt> {
    const bounded = Buffer.byteLength(name) <= limits.account.loginNameBytes ? name : ''
    const address = parseAddress(bounded, this.#directory.config.addressing)?.address
    let row = await this.#find(address, credentials)
    const key = address ?? bounded.toLowerCase()
    const admission = this.#admit(peer, mechanism, key, row)
    if (admission.delayMs > 0) {
      await this.#sleep(admission.delayMs)
      try {
        row = await this.#find(address, credentials)
      } catch (error) {
        admission.settle('void')
        throw error
      }
    }
    return { peer, mechanism, name: key, row, settle: admission.settle }
  }

  /** Whom ANONYMOUS stands for (RFC 4505): a reader of the account that is configured for it. Undefined where there is none. */
  async anonymous(peer: LoginPeer): Promise<Identity | undefined> {
    const { anonymousAccount } = this.config
    if (anonymousAccount === undefined || peer.protocol !== 'imap') return undefined
    const attempt = await this.begin(peer, 'ANONYMOUS', anonymousAccount)
    const identity = await this.end(attempt, ['imap'], '')
    return { ...identity, isAdmin: false, isAnonymous: true }
  }

  /**
   * Ends an attempt: who it is, when the credential was right (`scopes` is what it is for) and may act as `authzid`; `credential` is the row that
   * was right, where it was one of ours. Throws `LoginError`.
   */
  async end(
    attempt: Attempt,
    scopes: readonly Scope[] | undefined,
    authzid: string,
    credential?: CredentialRow,
  ): Promise<Identity> {
    const { peer, row } = attempt
    // A shared account is nobody's; an administrator may act as it.
    if (!row || !scopes || row.state !== 'active' || row.kind === 'shared') throw this.refuse(attempt)
    const identity = await this.#actAs(row, scopes, authzid, { account: row.account, credential }).catch(
      (error: unknown) => {
        attempt.settle('void')
        throw error
      },
    )
    if (!identity) throw this.refuse(attempt)
    if (!scopes.includes(peer.protocol)) {
      attempt.settle('void')
      this.#report(attempt, 'scope')
      throw new LoginError('scope', `the credential is not for ${peer.protocol}`)
    }
    attempt.settle('success')
    this.#report(attempt, 'success')
    return identity
  }

  /** Counts the failure and gives the error to throw. */
  refuse(attempt: Attempt): LoginError {
    attempt.settle('failure')
    this.#report(attempt, 'bad-credentials')
    return new LoginError('bad-credentials', 'unknown name or wrong credential')
  }

  /** The SCRAM keys of the attempt's account; made up, but always the same, where it has none. */
  async scramKeys(attempt: Attempt, hash: ScramHash): Promise<ScramKeys> {
    const credential = attempt.row?.credentials.find(each => each.kind === scramKinds[hash])
    const keys = credential && parseScramKeys(credential.secret, hash)
    // Asked for in both cases: the first time it takes longer.
    const secret = await this.#getSaltSecret()
    const fake = fakeScramKeys(secret, attempt.name, hash)
    return keys ?? fake
  }

  /**
   * Whether what an exchange began with is still so: a client may take minutes for its proof, and meanwhile the credential (of `kind`) can have been
   * changed or the account closed.
   */
  async stillHolds({ row }: Attempt, kind: CredentialKind): Promise<boolean> {
    const now = await this.#find(row?.address)
    if (!row || now?.account !== row.account || now.state !== 'active') return false
    return secretsOf(now, kind) === secretsOf(row, kind)
  }

  /** What a proof of `kind` is over. */
  credentialOf(attempt: Attempt, kind: CredentialKind): CredentialRow | undefined {
    if (kind === 'shared-secret') return this.sharedSecretOf(attempt)
    return attempt.row?.credentials.find(each => each.kind === kind)
  }

  /** The secret of an account that has opted in to CRAM-MD5 and APOP. */
  sharedSecretOf(attempt: Attempt): CredentialRow | undefined {
    if (!this.config.sharedSecrets) return undefined
    const own = attempt.row?.credentials.filter(each => each.kind === 'shared-secret') ?? []
    return own.find(each => each.name !== passwordSecretName) ?? own[0]
  }

  /** Checks an access token. Undefined when it is refused. Throws `LoginError` `limited`, `unavailable`, `scope`. */
  async checkToken(
    peer: LoginPeer,
    mechanism: string,
    authzid: string,
    token: string,
  ): Promise<Identity | undefined> {
    const admission = this.#admit(peer, mechanism, undefined, undefined)
    if (admission.delayMs > 0) await this.#sleep(admission.delayMs)
    try {
      const name = await this.tokens.verify(token)
      admission.settle('success')
      const attempt = await this.begin(peer, mechanism, name)
      return await this.end(attempt, allScopes, authzid)
    } catch (error) {
      const isRefused = error instanceof LoginError && error.code === 'bad-credentials'
      admission.settle(isRefused ? 'failure' : 'void')
      if (!isRefused) throw error
      this.#log.info({ protocol: peer.protocol, address: peer.address, why: error.message }, 'token refused')
      return undefined
    }
  }

  /** Finds the account that a verified certificate names. Undefined when there is none. Throws `LoginError`. */
  async checkCertificate(
    peer: LoginPeer,
    authzid: string,
    certificate: X509Certificate,
  ): Promise<Identity | undefined> {
    const names = await certificateNames(certificate, this.config.certificate)
    const wanted = parseAddress(authzid, this.#directory.config.addressing)?.address
    // A certificate may name several accounts; the one that is asked for, else the first.
    const name =
      names.find(each => parseAddress(each, this.#directory.config.addressing)?.address === wanted) ??
      names[0]
    if (name === undefined) return undefined
    const attempt = await this.begin(peer, 'EXTERNAL', name)
    return this.end(attempt, allScopes, authzid)
  }

  // The limiter

  #admit(
    peer: LoginPeer,
    mechanism: string,
    name: string | undefined,
    row: LoginRow | undefined,
  ): Extract<Admission, { kind: 'go' }> {
    const isAdmin = row?.isAdmin === true && row.state === 'active'
    const admission = this.#limiter.admit(peer, name, isAdmin)
    if (admission.kind === 'refused') {
      this.#report({ peer, mechanism, row }, 'limited')
      throw new LoginError('limited', 'too many failed log-ins')
    }
    return admission
  }

  // The directory

  async #find(
    address: string | undefined,
    credentials: LoginCredentials = 'all',
  ): Promise<LoginRow | undefined> {
    if (address === undefined) return undefined
    try {
      return await findLogin(this.#directory.store.reader, address, credentials)
    } catch (error) {
      throw new LoginError('unavailable', 'the directory cannot be read', { cause: error })
    }
  }

  async #matching(attempt: Attempt, password: string): Promise<CredentialRow | undefined> {
    const { row, name } = attempt
    const { hasher } = this.#directory
    const prepared = preparePassword(password)
    const appPassword = prepared === undefined ? undefined : findAppPassword(prepared, row?.credentials ?? [])
    if (appPassword && !this.#isExpired(appPassword)) return appPassword
    const stored = row?.credentials.find(each => each.kind === 'password')
    if (!row || !stored || prepared === undefined || this.#isExpired(stored)) {
      await this.#verified.check(name, '', password, () => hasher.dummyVerify(prepared ?? 'x'))
      return undefined
    }
    // Nothing was waited for since the row was read, and what was found right then was hashed as it should be.
    if (this.#verified.isKnown(name, stored.secret, prepared)) return stored
    const isRight = await this.#verified.check(name, stored.secret, prepared, () =>
      hasher.verify(prepared, stored.secret),
    )
    if (!isRight) return undefined
    // The hash took its turn, and then some: what it was compared with must still be what counts.
    const now = await this.#find(row.address)
    if (now?.account !== row.account || now.state !== 'active') return undefined
    if (secretsOf(now, 'password') !== secretsOf(row, 'password')) {
      return this.#matching({ ...attempt, row: now }, password)
    }
    if (hasher.needsRehash(stored.secret)) await this.#rehash(row, stored, prepared)
    return stored
  }

  #isExpired(credential: CredentialRow): boolean {
    return credential.expiresAt !== null && credential.expiresAt <= this.clock.now()
  }

  /** Hashes a right password anew at today's cost, unless it was changed meanwhile. */
  async #rehash(row: LoginRow, stored: CredentialRow, prepared: string): Promise<void> {
    try {
      const asSharedSecret = row.credentials.some(
        each => each.kind === 'shared-secret' && each.name === passwordSecretName,
      )
      const credentials = await deriveCredentials(this.#directory.hasher, prepared, asSharedSecret)
      await this.#directory.store.mutate('replacePassword', {
        account: row.account,
        credentials,
        ifSecret: stored.secret,
      })
    } catch (error) {
      // The log-in is right all the same; a later one tries again.
      this.#log.warn({ account: row.address, err: asError(error) }, 'a password could not be hashed anew')
    }
  }

  /** Undefined when `row` may not act as `authzid`. RFC 4422 §3.4.1. */
  async #actAs(
    row: LoginRow,
    scopes: readonly Scope[],
    authzid: string,
    proof: Proof,
  ): Promise<Identity | undefined> {
    const own = { account: row.account, address: row.address, isAdmin: row.isAdmin, scopes, proof }
    if (authzid === '') return own
    const wanted = parseAddress(authzid, this.#directory.config.addressing)?.address
    if (wanted === row.address) return own
    // Only an administrator may, with a credential for everything: an app password in some device is not for this.
    if (!row.isAdmin || scopes.length < allScopes.length) return undefined
    const target = await this.#find(wanted)
    if (!target) return undefined
    if (target.state !== 'active') throw new LoginError('disabled', `${target.address} is disabled`)
    return {
      account: target.account,
      address: target.address,
      isAdmin: false,
      scopes,
      actingAdmin: row.address,
      proof,
    }
  }

  /** Kept in the store, so that made-up salts stay the same over restarts and threads. */
  #getSaltSecret(): Promise<Buffer> {
    this.#saltSecret ??= this.#loadSaltSecret()
    return this.#saltSecret
  }

  async #loadSaltSecret(): Promise<Buffer> {
    try {
      const value = this.randomBytes(32).toString('base64')
      const kept = await this.#directory.store.mutate('createSecret', { name: 'scram-salt', value })
      return Buffer.from(kept.value, 'base64')
    } catch (error) {
      this.#saltSecret = undefined
      throw new LoginError('unavailable', 'the store cannot be asked', { cause: error })
    }
  }

  #report(
    { peer, mechanism, row }: Pick<Attempt, 'peer' | 'mechanism' | 'row'>,
    result: 'success' | 'bad-credentials' | 'limited' | 'scope',
  ): void {
    this.#metrics.count('logins_total', { protocol: peer.protocol, mechanism, result })
    this.#onResult?.({ protocol: peer.protocol, mechanism, account: row?.address, result })
    const fields = {
      protocol: peer.protocol,
      mechanism,
      address: peer.address,
      secure: peer.secure,
      // What was typed into a name field may be a password: only names that exist are written down.
      account: row?.address ?? null,
      result,
    }
    if (result === 'success') this.#log.debug(fields, 'log-in')
    else this.#log.info(fields, 'log-in refused')
  }
}

function textOf(value: string | Buffer): string | undefined {
  if (typeof value === 'string') return value
  return isUtf8(value) ? value.toString('utf8') : undefined
}

function secretsOf({ credentials }: LoginRow, kind: CredentialKind): string {
  return credentials
    .filter(each => each.kind === kind)
    .map(each => each.secret)
    .join('\n')
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
