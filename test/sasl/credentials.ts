// Credentials of a few accounts, for tests of the mechanisms: an identity is `authcid` or `authcid as authzid`.
import type { X509Certificate } from 'node:crypto'
import { randomBytes } from 'node:crypto'
import type { SaslContext, SaslCredentials, SaslExchange, SaslStep } from '../../src/sasl/mechanism.ts'
import { deriveScramKeys, fakeScramKeys, type ScramKeys } from '../../src/sasl/scram-keys.ts'

export interface TestAccount {
  readonly password: string
  /** May act as everybody. */
  readonly isAdmin?: boolean
  readonly cram?: boolean
  readonly token?: string
  readonly scram?: ScramKeys
}

const fakeSecret = Buffer.from('the same in each test')

export function testCredentials(accounts: Readonly<Record<string, TestAccount>>): SaslCredentials<string> {
  const byName = new Map(Object.entries(accounts))
  const authorize = async (authzid: string, authcid: string) => {
    if (!byName.has(authcid)) return undefined
    if (authzid === '' || authzid === authcid) return authcid
    return byName.get(authcid)?.isAdmin && byName.has(authzid) ? `${authcid} as ${authzid}` : undefined
  }
  return {
    authorize,
    verifyPassword: async (authzid, authcid, password) =>
      byName.get(authcid)?.password === password ? authorize(authzid, authcid) : undefined,
    scramKeys: async (authcid, hash) => {
      const account = byName.get(authcid)
      if (!account) return fakeScramKeys(fakeSecret, authcid, hash)
      return account.scram ?? deriveScramKeys(account.password, hash, Buffer.from('0123456789abcdef'), 4096)
    },
    cramSecret: async authcid => {
      const account = byName.get(authcid)
      return account?.cram ? Buffer.from(account.password) : undefined
    },
    verifyToken: async (authzid, token) => {
      for (const [name, account] of byName) if (account.token === token) return authorize(authzid, name)
      return undefined
    },
    verifyCertificate: async (authzid, certificate: X509Certificate) => {
      const name = /CN=(.*)/.exec(certificate.subject)?.[1] ?? ''
      return authorize(authzid, name)
    },
    anonymous: async trace => `anonymous ${trace}`,
  }
}

export function testContext(
  accounts: Readonly<Record<string, TestAccount>>,
  changes: Partial<SaslContext<string>> = {},
): SaslContext<string> {
  return {
    credentials: testCredentials(accounts),
    hostname: 'mail.example',
    now: () => 1_700_000_000_000,
    randomBytes,
    ...changes,
  }
}

/** Runs an exchange over what the client says; the steps in order. */
export async function steps(
  exchange: SaslExchange<string>,
  ...responses: readonly (string | Buffer | undefined)[]
): Promise<SaslStep<string>[]> {
  const all: SaslStep<string>[] = []
  for (const response of responses) {
    all.push(await exchange.next(typeof response === 'string' ? Buffer.from(response) : response))
  }
  return all
}

/** The last step of an exchange. */
export async function outcome(
  exchange: SaslExchange<string>,
  ...responses: readonly (string | Buffer | undefined)[]
): Promise<SaslStep<string> | undefined> {
  return (await steps(exchange, ...responses)).at(-1)
}
