// SHA-crypt, `$5$` and `$6$` of /etc/shadow and Dovecot's SHA256-CRYPT and SHA512-CRYPT, read for imports only. Drepper's "Unix crypt using SHA-256 and SHA-512".
import { createHash, timingSafeEqual } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { limits } from '../base/limits.ts'

type ShaCryptHash = 'sha256' | 'sha512'

export interface ShaCrypt {
  readonly kind: 'sha-crypt'
  readonly hash: ShaCryptHash
  readonly salt: string
  readonly rounds: number
  readonly encoded: string
}

/** Rounds between two looks at the event loop: well under a millisecond each. */
const roundsPerTurn = 250

/** `$6$[rounds=N$]salt$hash`; undefined for anything else. */
export function parseShaCrypt(text: string): ShaCrypt | undefined {
  const parts = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]{43,86})$/.exec(text)
  if (!parts) return undefined
  const hash = parts[1] === '5' ? 'sha256' : 'sha512'
  const rounds = parts[2] === undefined ? 5000 : Math.max(1000, Number(parts[2]))
  const encoded = parts[4] as string
  if (rounds > limits.password.cryptMaxRounds || encoded.length !== (hash === 'sha256' ? 43 : 86)) {
    return undefined
  }
  return { kind: 'sha-crypt', hash, salt: parts[3] as string, rounds, encoded }
}

export async function verifyShaCrypt(password: string, stored: ShaCrypt): Promise<boolean> {
  const encoded = encode(await digestOf(Buffer.from(password), stored), stored.hash)
  return timingSafeEqual(Buffer.from(encoded), Buffer.from(stored.encoded))
}

/** The steps are numbered as in the specification. */
async function digestOf(password: Buffer, { hash, salt: saltText, rounds }: ShaCrypt): Promise<Buffer> {
  const salt = Buffer.from(saltText, 'latin1')
  const sha = (...pieces: Buffer[]) => {
    const digest = createHash(hash)
    for (const piece of pieces) digest.update(piece)
    return digest.digest()
  }
  // 4 to 8
  const b = sha(password, salt, password)
  // 1 to 3, 9 to 12
  const pieces = [password, salt, repeat(b, password.length)]
  for (let length = password.length; length > 0; length >>= 1) pieces.push(length & 1 ? b : password)
  let digest = sha(...pieces)
  // 13 to 20
  const p = repeat(sha(...Array<Buffer>(password.length).fill(password)), password.length)
  const s = repeat(sha(...Array<Buffer>(16 + (digest[0] as number)).fill(salt)), salt.length)
  // 21
  for (let round = 0; round < rounds; round++) {
    const isOdd = (round & 1) === 1
    const mixed = [isOdd ? p : digest]
    if (round % 3 !== 0) mixed.push(s)
    if (round % 7 !== 0) mixed.push(p)
    mixed.push(isOdd ? digest : p)
    digest = sha(...mixed)
    if (round % roundsPerTurn === 0) await setImmediate()
  }
  return digest
}

function repeat(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes)
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Step 22: three bytes become four characters, in an order that walks three columns of the digest. */
function encode(digest: Buffer, hash: ShaCryptHash): string {
  const isShort = hash === 'sha256'
  const column = isShort ? 10 : 21
  const text: string[] = []
  const add = (high: number, middle: number, low: number, count: number) => {
    let value = (high << 16) | (middle << 8) | low
    for (let i = 0; i < count; i++) {
      text.push(alphabet[value & 63] as string)
      value >>= 6
    }
  }
  let at = [0, column, 2 * column]
  for (let i = 0; i < column; i++) {
    const [a, b, c] = at as [number, number, number]
    add(digest[a] as number, digest[b] as number, digest[c] as number, 4)
    // Each next triple is the last one turned by a place and moved on by one.
    at = isShort ? [c + 1, a + 1, b + 1] : [b + 1, c + 1, a + 1]
  }
  if (isShort) add(0, digest[31] as number, digest[30] as number, 3)
  else add(0, 0, digest[63] as number, 2)
  return text.join('')
}
