// OAuth 2.0 access tokens as JWTs, from the issuers of the configuration. RFC 7519; RFC 7515; RFC 9068 §4; RFC 8725 (best practice).
//
// The token says which issuer to ask and nothing else: the algorithm comes from the configuration's list, the key from the issuer's own set (`jwk`, `jku`,
// `x5u` in a header are not looked at, and `kid` is only compared with the set's), the audience must be ours.
import { readFile } from 'node:fs/promises'
import type * as Jose from 'jose'
import type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose'
import type { Clock } from '../base/clock.ts'
import { limits } from '../base/limits.ts'
import type { Issuer } from './config.ts'
import { LoginError } from './login-error.ts'

/** Failures that are the key server's and not the token's. */
const temporary = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'])

export class TokenVerifier {
  readonly #issuers: readonly Issuer[]
  readonly #clock: Clock
  readonly #keys = new Map<string, JWTVerifyGetKey>()

  constructor(issuers: readonly Issuer[], clock: Clock) {
    this.#issuers = issuers
    this.#clock = clock
  }

  get isConfigured(): boolean {
    return this.#issuers.length > 0
  }

  /** For OAUTHBEARER's error answer (RFC 7628 §3.2.2). */
  get discovery(): { readonly scope?: string; readonly openidConfiguration?: string } {
    const issuer = this.#issuers[0]
    return {
      ...(issuer?.requiredScope === undefined ? {} : { scope: issuer.requiredScope }),
      ...(issuer?.openidConfiguration === undefined
        ? {}
        : { openidConfiguration: issuer.openidConfiguration }),
    }
  }

  /** The address that a token speaks for, as it stands in its claim. Throws `LoginError` `bad-credentials` or `unavailable`. */
  async verify(token: string): Promise<string> {
    if (token.length > limits.account.tokenBytes) throw refused('the token is too long')
    const issuer = await this.#issuerOf(token)
    const payload = await this.#payloadOf(token, issuer)
    if (issuer.requiredScope !== undefined && !hasScope(payload, issuer.requiredScope)) {
      throw refused(`the token lacks the scope ${issuer.requiredScope}`)
    }
    // OpenID Connect Core §5.1: an address that its issuer has not checked proves nothing.
    if (issuer.addressClaim === 'email' && payload['email_verified'] === false) {
      throw refused('the address in the token is not verified')
    }
    const address = payload[issuer.addressClaim]
    if (typeof address !== 'string' || address === '') throw refused('the token names no address')
    return address
  }

  async #issuerOf(token: string): Promise<Issuer> {
    const { decodeJwt } = await loadJose()
    let claimed: unknown
    try {
      claimed = decodeJwt(token).iss
    } catch (error) {
      throw refused('not a JWT', error)
    }
    const issuer = this.#issuers.find(candidate => candidate.issuer === claimed)
    if (!issuer) throw refused('the issuer of the token is not ours')
    return issuer
  }

  async #payloadOf(token: string, issuer: Issuer): Promise<JWTPayload> {
    const { errors, jwtVerify } = await loadJose()
    try {
      const { payload } = await jwtVerify(token, await this.#keysOf(issuer), {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: issuer.algorithms,
        clockTolerance: issuer.clockToleranceSeconds,
        currentDate: new Date(this.#clock.now()),
        requiredClaims: ['exp'],
      })
      return payload
    } catch (error) {
      if (error instanceof LoginError) throw error
      // A file of keys may have been replaced: read it again next time. (Keys from a URL look after themselves.)
      if (issuer.jwksUrl === undefined) this.#keys.delete(issuer.issuer)
      if (!(error instanceof errors.JOSEError) || temporary.has(error.code)) {
        throw new LoginError('unavailable', `the keys of ${issuer.issuer} cannot be had`, { cause: error })
      }
      throw refused('the token does not verify', error)
    }
  }

  async #keysOf(issuer: Issuer): Promise<JWTVerifyGetKey> {
    const known = this.#keys.get(issuer.issuer)
    if (known) return known
    const keys = await loadKeys(issuer)
    this.#keys.set(issuer.issuer, keys)
    return keys
  }
}

/** With the first token: most servers have no issuer, and each thread would have a copy. */
function loadJose(): Promise<typeof Jose> {
  return import('jose')
}

async function loadKeys(issuer: Issuer): Promise<JWTVerifyGetKey> {
  const { createLocalJWKSet, createRemoteJWKSet } = await loadJose()
  if (issuer.jwksUrl !== undefined) {
    return createRemoteJWKSet(new URL(issuer.jwksUrl), { timeoutDuration: limits.account.keysMs })
  }
  if (issuer.jwksFile === undefined) {
    throw new LoginError('unavailable', `the issuer ${issuer.issuer} has neither jwksUrl nor jwksFile`)
  }
  const set = JSON.parse(await readFile(issuer.jwksFile, 'utf8')) as JSONWebKeySet
  return createLocalJWKSet(set)
}

function hasScope(payload: JWTPayload, scope: string): boolean {
  const given = payload['scope'] ?? payload['scp']
  if (typeof given === 'string') return given.split(' ').includes(scope)
  return Array.isArray(given) && given.includes(scope)
}

function refused(message: string, cause?: unknown): LoginError {
  return new LoginError('bad-credentials', message, { cause })
}
