// Password hashes: argon2id in PHC strings for what we make, and common crypt formats for what was imported. RFC 9106; the PHC string format.
// RFC 9106 is implemented by node:crypto. bcrypt and yescrypt are not read: Node has neither.
import { type Argon2Algorithm, argon2, createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { limits } from '../base/limits.ts'
import { parseShaCrypt, verifyShaCrypt } from './sha-crypt.ts'
import { Turns } from './turns.ts'

/** What a new hash costs. */
export interface Argon2Cost {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

interface Argon2Hash extends Argon2Cost {
  readonly kind: 'argon2'
  readonly algorithm: Argon2Algorithm
  readonly salt: Buffer
  readonly tag: Buffer
}

interface SaltedSha {
  readonly kind: 'salted-sha'
  readonly hash: 'sha256' | 'sha512'
  readonly salt: Buffer
  readonly tag: Buffer
}

type StoredHash = Argon2Hash | SaltedSha | NonNullable<ReturnType<typeof parseShaCrypt>>

const defaultCost: Argon2Cost = {
  memoryKib: limits.password.argon2MemoryKib,
  passes: limits.password.argon2Passes,
  parallelism: limits.password.argon2Parallelism,
}

/**
 * Makes and checks password hashes, a few at once, off the event loop: a flood of log-ins waits in a bounded queue and
 * then gets QueueFull, which is a temporary refusal. One per thread. Passwords come prepared (`prepare.ts`).
 */
export class PasswordHasher {
  readonly #cost: Argon2Cost
  readonly #turns: Turns

  constructor({
    cost = defaultCost,
    hashesAtOnce = limits.password.hashesAtOnce,
    hashesWaiting = limits.password.hashesWaiting,
  }: { cost?: Argon2Cost; hashesAtOnce?: number; hashesWaiting?: number } = {}) {
    this.#cost = cost
    this.#turns = new Turns(hashesAtOnce, hashesWaiting)
  }

  /** A PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. Throws RangeError for a password that is empty or too long. */
  async hash(password: string): Promise<string> {
    const bytes = Buffer.byteLength(password)
    if (bytes === 0 || bytes > limits.password.bytes) throw new RangeError('password empty or too long')
    const salt = randomBytes(limits.password.saltBytes)
    const tag = await this.#turns.run(() =>
      argon2Tag(password, 'argon2id', this.#cost, salt, limits.password.tagBytes),
    )
    const { memoryKib, passes, parallelism } = this.#cost
    return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${phcBase64(salt)}$${phcBase64(tag)}`
  }

  /** Whether `password` is the one that `stored` was made of. A `stored` that nobody can read is like a wrong password, at the same cost. */
  async verify(password: string, stored: string): Promise<boolean> {
    if (Buffer.byteLength(password) > limits.password.bytes) return false
    const parsed = findHash(stored)
    if (!parsed) return this.dummyVerify(password)
    return this.#turns.run(() => verifyHash(password, parsed))
  }

  /** For a name that does not exist: takes as long as `verify` of a current hash, and is never true. */
  async dummyVerify(password: string): Promise<false> {
    if (Buffer.byteLength(password) > limits.password.bytes) return false
    const salt = Buffer.alloc(limits.password.saltBytes)
    await this.#turns.run(() => argon2Tag(password, 'argon2id', this.#cost, salt, limits.password.tagBytes))
    return false
  }

  /** Whether a right password should be hashed anew: another format, or other parameters than today's. */
  needsRehash(stored: string): boolean {
    const parsed = findHash(stored)
    return (
      parsed?.kind !== 'argon2' ||
      parsed.algorithm !== 'argon2id' ||
      parsed.memoryKib !== this.#cost.memoryKib ||
      parsed.passes !== this.#cost.passes ||
      parsed.parallelism !== this.#cost.parallelism
    )
  }
}

/** Whether an imported hash is of a format that `PasswordHasher` reads. */
export function isReadableHash(stored: string): boolean {
  return findHash(stored) !== undefined
}

function findHash(stored: string): StoredHash | undefined {
  // Dovecot's and LDAP's `{SCHEME}` before the hash; the crypt formats name themselves.
  const [, scheme, rest = ''] = /^(?:\{([A-Za-z0-9-]+)\})?(.*)$/s.exec(stored) ?? []
  switch (scheme?.toUpperCase()) {
    case undefined:
    case 'CRYPT':
      return findArgon2(rest) ?? parseShaCrypt(rest)
    case 'ARGON2ID':
    case 'ARGON2I':
      return findArgon2(rest)
    case 'SHA256-CRYPT':
    case 'SHA512-CRYPT':
      return parseShaCrypt(rest)
    case 'SSHA256':
      return findSaltedSha('sha256', rest)
    case 'SSHA512':
      return findSaltedSha('sha512', rest)
    default:
      return undefined
  }
}

function findArgon2(text: string): Argon2Hash | undefined {
  const parts =
    /^\$(argon2id|argon2i|argon2d)\$v=19\$m=(\d{1,9}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{16,88})$/.exec(
      text,
    )
  if (!parts) return undefined
  const [, algorithm, memory, passes, parallelism, salt, tag] = parts
  const hash: Argon2Hash = {
    kind: 'argon2',
    algorithm: algorithm as Argon2Algorithm,
    memoryKib: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt ?? '', 'base64'),
    tag: Buffer.from(tag ?? '', 'base64'),
  }
  const { argon2MaxMemoryKib, argon2MaxPasses } = limits.password
  const isBounded = hash.memoryKib <= argon2MaxMemoryKib && hash.passes <= argon2MaxPasses
  // RFC 9106 §3.1: at least one pass, one lane, and 8 KiB a lane.
  const isSound = hash.passes >= 1 && hash.parallelism >= 1 && hash.memoryKib >= 8 * hash.parallelism
  return isBounded && isSound && hash.salt.length >= 8 ? hash : undefined
}

function findSaltedSha(hash: 'sha256' | 'sha512', text: string): SaltedSha | undefined {
  if (!/^[A-Za-z0-9+/]{1,256}={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  const tagBytes = hash === 'sha256' ? 32 : 64
  if (bytes.length <= tagBytes) return undefined
  return { kind: 'salted-sha', hash, tag: bytes.subarray(0, tagBytes), salt: bytes.subarray(tagBytes) }
}

async function verifyHash(password: string, stored: StoredHash): Promise<boolean> {
  switch (stored.kind) {
    case 'argon2': {
      const tag = await argon2Tag(password, stored.algorithm, stored, stored.salt, stored.tag.length)
      return timingSafeEqual(tag, stored.tag)
    }
    case 'salted-sha': {
      const tag = createHash(stored.hash).update(password).update(stored.salt).digest()
      return timingSafeEqual(tag, stored.tag)
    }
    case 'sha-crypt':
      return verifyShaCrypt(password, stored)
  }
}

function argon2Tag(
  password: string,
  algorithm: Argon2Algorithm,
  { memoryKib, passes, parallelism }: Argon2Cost,
  salt: Buffer,
  tagLength: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parameters = { message: password, nonce: salt, memory: memoryKib, passes, parallelism, tagLength }
    argon2(algorithm, parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
  })
}

/** PHC strings have no padding. */
function phcBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
