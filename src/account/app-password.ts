// App passwords: one for each program, made by us, shown once, limited to services, taken back one by one.
//
// They are random (100 bits), so a plain salted SHA-256 keeps them: guessing them is hopeless, and argon2id for each of them at each log-in would
// make log-ins slow for no gain.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AccountId } from '../base/ids.ts'
import { type CredentialRow, listCredentials } from '../store/read/credential.ts'
import { checkName, type Directory } from './directory.ts'
import { DirectoryError } from './directory-error.ts'
import { parseScopes, type Scope, scopes as allScopes } from './scope.ts'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
const letters = 20
const groupLetters = 5

export interface AppPassword {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdAt: number
  readonly expiresAt: number | undefined
}

export interface NewAppPassword {
  readonly name: string
  /** All services when absent. */
  readonly scopes?: readonly Scope[]
  /** Milliseconds since 1970. */
  readonly expiresAt?: number
}

/** Makes one and gives its text, which cannot be had again. Throws `DirectoryError`, `StoreError` `exists` (the name), `too-many`, `no-such-account`. */
export async function createAppPassword(
  directory: Directory,
  account: AccountId,
  { name, scopes = allScopes, expiresAt }: NewAppPassword,
): Promise<string> {
  if (checkName(name) === '') throw new DirectoryError('invalid-name', 'an app password needs a name')
  if (scopes.length === 0 || !scopes.every(scope => allScopes.includes(scope))) {
    throw new DirectoryError('invalid-scope', 'an app password needs services that exist')
  }
  const text = randomLetters()
  await directory.store.mutate('createCredential', {
    account,
    kind: 'app-password',
    name,
    secret: hashAppPassword(text, randomBytes(12)),
    scopes,
    expiresAt,
  })
  return text.match(new RegExp(`.{${groupLetters}}`, 'g'))?.join('-') ?? text
}

/** What an account has, without the secrets. */
export async function listAppPasswords(
  directory: Directory,
  account: AccountId,
): Promise<readonly AppPassword[]> {
  const rows = await listCredentials(directory.store.reader, account)
  return rows
    .filter(row => row.kind === 'app-password')
    .map(row => ({
      name: row.name,
      scopes: parseScopes(row.scopes),
      createdAt: row.createdAt,
      expiresAt: row.expiresAt ?? undefined,
    }))
}

/** Takes one back, at once. Throws `StoreError` `not-found`. */
export async function deleteAppPassword(
  directory: Directory,
  account: AccountId,
  name: string,
): Promise<void> {
  await directory.store.mutate('deleteCredential', { account, kind: 'app-password', name })
}

/** The app password among `rows` that `text` is, however it is spaced; undefined when it is none. Expiry is the caller's. */
export function findAppPassword(text: string, rows: readonly CredentialRow[]): CredentialRow | undefined {
  const bare = text.replaceAll(/[\s-]/g, '').toLowerCase()
  if (!/^[a-z2-7]{20}$/.test(bare)) return undefined
  let found: CredentialRow | undefined
  for (const row of rows) {
    if (row.kind !== 'app-password') continue
    const salt = /^\$sha256\$([A-Za-z0-9+/]+)\$/.exec(row.secret)?.[1]
    if (salt === undefined) continue
    const expected = Buffer.from(row.secret)
    const actual = Buffer.from(hashAppPassword(bare, Buffer.from(salt, 'base64')))
    if (expected.length === actual.length && timingSafeEqual(expected, actual)) found = row
  }
  return found
}

function hashAppPassword(text: string, salt: Buffer): string {
  const hash = createHash('sha256').update(salt).update(text).digest('base64')
  return `$sha256$${salt.toString('base64').replaceAll('=', '')}$${hash.replaceAll('=', '')}`
}

function randomLetters(): string {
  return Array.from(randomBytes(letters), byte => alphabet[byte & 31]).join('')
}
