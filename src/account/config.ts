// Options of the directory and of log-ins. The documentation of the configuration is made of these.
import { z } from 'zod'
import { limits } from '../base/limits.ts'

const addressingSchema = z
  .strictObject({
    defaultDomain: z
      .string()
      .min(1)
      .default('localhost')
      .describe('The domain of a log-in name or recipient that has none.'),
    separator: z
      .string()
      .max(8)
      .default('+')
      .describe('What separates the user from the detail in an address (ann+lists@…); empty for none.'),
    isCaseSensitive: z
      .boolean()
      .default(false)
      .describe('Whether Ann@ and ann@ are two addresses. RFC 5321 allows it; nobody expects it.'),
  })
  .describe('How addresses are read.')

const quotaSchema = z
  .strictObject({
    bytes: z
      .int()
      .positive()
      .nullable()
      .default(null)
      .describe('Bytes an account may keep; null for no bound.'),
    messages: z
      .int()
      .positive()
      .nullable()
      .default(null)
      .describe('Messages an account may keep; null for no bound.'),
  })
  .describe('Quota of accounts that have none of their own.')

const bound = (free: number, refuseAt: number, what: string) =>
  z
    .strictObject({
      free: z.number().min(1).default(free).describe('Failures without a delay.'),
      refuseAt: z
        .number()
        .min(1)
        .default(refuseAt)
        .describe('Failures at which log-ins are refused for a while.'),
    })
    .prefault({})
    .describe(what)

const limiterSchema = z
  .strictObject({
    halfLifeMinutes: z.number().positive().default(30).describe('After this long, a failure counts half.'),
    firstDelayMs: z.int().min(0).default(250).describe('The first delay; it doubles with each failure.'),
    maxDelayMs: z.int().min(0).default(10_000).describe('No attempt is held longer than this.'),
    accountAndNetwork: bound(5, 15, 'Failures for one name from one network (an IPv4 address, an IPv6 /64).'),
    network: bound(
      60,
      300,
      'Failures from one network for any names. One name adds only a few, so that a user behind a shared proxy does not lock out the others.',
    ),
    account: bound(
      50,
      100,
      'Failures for one name from all networks. Networks from which that name has logged in lately are exempt.',
    ),
  })
  .describe('Slows down and refuses who guesses passwords. Loopback is exempt.')

const hashSchema = z
  .strictObject({
    memoryKib: z
      .int()
      .min(8)
      .max(4_194_304)
      .default(limits.password.argon2MemoryKib)
      .describe('Memory of one hash, KiB.'),
    passes: z
      .int()
      .min(1)
      .max(1000)
      .default(limits.password.argon2Passes)
      .describe('Passes over the memory.'),
    parallelism: z.int().min(1).max(64).default(limits.password.argon2Parallelism).describe('Lanes.'),
    concurrency: z
      .int()
      .min(1)
      .max(64)
      .default(limits.password.hashesAtOnce)
      .describe('Hashes that one thread computes at a time.'),
  })
  .describe('Cost of argon2id (RFC 9106). A password is hashed anew at the next log-in after a change.')

const issuerSchema = z
  .strictObject({
    issuer: z.string().min(1).describe('What the `iss` claim must be.'),
    audience: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .describe('What `aud` must hold.'),
    jwksUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where the public keys are fetched from.'),
    jwksFile: z.string().min(1).optional().describe('A file with the public keys, in place of jwksUrl.'),
    algorithms: z
      .array(
        z.enum([
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
          'Ed25519',
        ]),
      )
      .min(1)
      .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
      .describe('Signatures that are accepted; only those with public keys.'),
    addressClaim: z
      .string()
      .min(1)
      .default('email')
      .describe('The claim that holds the address of the account.'),
    requiredScope: z.string().min(1).optional().describe('A scope that the token must have.'),
    clockToleranceSeconds: z
      .int()
      .min(0)
      .max(600)
      .default(30)
      .describe('Difference between clocks that is forgiven.'),
    openidConfiguration: z
      .url()
      .optional()
      .describe('The discovery document that OAUTHBEARER tells a client whose token was refused.'),
  })
  .refine(
    ({ jwksUrl, jwksFile }) => (jwksUrl === undefined) !== (jwksFile === undefined),
    'an issuer needs either jwksUrl or jwksFile',
  )

/** One server that issues OAuth tokens. */
export type Issuer = z.output<typeof issuerSchema>

const loginSchema = z
  .strictObject({
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('Accept passwords on connections without TLS from other machines. Do not.'),
    minPasswordCharacters: z.int().min(1).max(128).default(8).describe('Least length of a new password.'),
    cacheMinutes: z
      .number()
      .min(0)
      .default(10)
      .describe(
        'How long a verified password is remembered (as a hash with a secret), so that it is not hashed again.',
      ),
    mechanisms: z
      .array(z.string())
      .default([
        'SCRAM-SHA-256-PLUS',
        'SCRAM-SHA-1-PLUS',
        'SCRAM-SHA-256',
        'SCRAM-SHA-1',
        'EXTERNAL',
        'OAUTHBEARER',
        'XOAUTH2',
        'PLAIN',
        'LOGIN',
      ])
      .describe(
        'SASL mechanisms that are offered, best first. Add CRAM-MD5 for old clients: it, like APOP, works only for accounts that have opted in, because the server must keep a secret that is as good as a password in the clear.',
      ),
    sharedSecrets: z
      .boolean()
      .default(false)
      .describe(
        'Whether accounts may opt in to CRAM-MD5 and APOP, for which the server keeps the secret readable.',
      ),
    anonymousAccount: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The address of the account whose mail anybody may read over IMAP without a name, by the mechanism ANONYMOUS (RFC 4505), which is to be added to mechanisms. Nobody by default.',
      ),
    certificate: z
      .enum(['none', 'email', 'common-name'])
      .default('none')
      .describe(
        'EXTERNAL: which name in a verified client certificate is the account: an e-mail address among its alternative names, or its common name.',
      ),
    issuers: z.array(issuerSchema).default([]).describe('Servers whose OAuth tokens are accepted.'),
    maxSessions: z
      .int()
      .min(1)
      .max(60_000)
      .default(250)
      .describe('Sessions that one account may have at the same time, of all protocols together.'),
    hash: hashSchema.prefault({}),
    limiter: limiterSchema.prefault({}),
  })
  .describe('Who may log in, and how.')

/** The options of `src/account`. */
export const accountConfigSchema = z.strictObject({
  addressing: addressingSchema.prefault({}),
  quota: quotaSchema.prefault({}),
  login: loginSchema.prefault({}),
})

export type AccountConfig = z.output<typeof accountConfigSchema>
export type Addressing = AccountConfig['addressing']
export type LoginConfig = AccountConfig['login']
export type LimiterConfig = LoginConfig['limiter']
