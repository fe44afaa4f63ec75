// What a server keeps of a password for SCRAM, made when the password is set. RFC 5802 §3; RFC 7677.
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { limits } from '../base/limits.ts'

export type ScramHash = 'sha1' | 'sha256'

export interface ScramKeys {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const derive = promisify(pbkdf2)
export const scramHashBytes: Readonly<Record<ScramHash, number>> = { sha1: 20, sha256: 32 }

/** Derives the keys of a prepared password, off the event loop. Throws RangeError for a count of iterations out of bounds. */
export async function deriveScramKeys(
  password: string,
  hash: ScramHash,
  salt: Buffer = randomBytes(limits.password.saltBytes),
  iterations: number = limits.password.scramIterations,
): Promise<ScramKeys> {
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > limits.password.scramMaxIterations) {
    throw new RangeError(`SCRAM iterations out of bounds: ${iterations}`)
  }
  const salted = await derive(password, salt, iterations, scramHashBytes[hash], hash)
  const clientKey = createHmac(hash, salted).update('Client Key').digest()
  return {
    salt,
    iterations,
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: createHmac(hash, salted).update('Server Key').digest(),
  }
}

/**
 * Keys for a name that does not exist: the same at each try, like real ones, and matched by no password.
 * `secret` is the installation's own and stays the same across restarts and threads, or the salt would give the name away.
 */
export function fakeScramKeys(secret: Buffer, authcid: string, hash: ScramHash): ScramKeys {
  const part = (label: string) => createHmac(hash, secret).update(`${label}\0${authcid}`).digest()
  return {
    salt: part('salt').subarray(0, limits.password.saltBytes),
    iterations: limits.password.scramIterations,
    storedKey: part('stored'),
    serverKey: part('server'),
  }
}
