// SCRAM keys as one string. RFC 5803 §2: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`.
import type { ScramHash, ScramKeys } from '../sasl/scram-keys.ts'

const schemes = { sha1: 'SCRAM-SHA-1', sha256: 'SCRAM-SHA-256' } as const

/** The kind of credential that keeps keys of this hash. */
export const scramKinds = { sha1: 'scram-sha-1', sha256: 'scram-sha-256' } as const

export function encodeScramKeys(keys: ScramKeys, hash: ScramHash): string {
  const { salt, iterations, storedKey, serverKey } = keys
  const [saltText, storedText, serverText] = [salt, storedKey, serverKey].map(key => key.toString('base64'))
  return `${schemes[hash]}$${iterations}:${saltText}$${storedText}:${serverText}`
}

/** Undefined for what is not such a string. */
export function parseScramKeys(text: string, hash: ScramHash): ScramKeys | undefined {
  const base64 = '([A-Za-z0-9+/]+={0,2})'
  const pattern = new RegExp(`^${schemes[hash]}\\$([1-9][0-9]{0,8}):${base64}\\$${base64}:${base64}$`)
  const [, iterations, salt, storedKey, serverKey] = pattern.exec(text) ?? []
  if (!iterations || !salt || !storedKey || !serverKey) return undefined
  return {
    iterations: Number(iterations),
    salt: Buffer.from(salt, 'base64'),
    storedKey: Buffer.from(storedKey, 'base64'),
    serverKey: Buffer.from(serverKey, 'base64'),
  }
}
