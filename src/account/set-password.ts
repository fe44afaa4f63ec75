// Sets and removes passwords: everything that is derived from one is made at that moment. RFC 4013; RFC 5802 §3; RFC 9106.
import { randomBytes } from 'node:crypto'
import type { AccountId } from '../base/ids.ts'
import type { PasswordHasher } from '../sasl/password.ts'
import { prepareNewPassword } from '../sasl/prepare.ts'
import { deriveScramKeys } from '../sasl/scram-keys.ts'
import { StoreError } from '../store/error.ts'
import type { NewCredential } from '../store/mutations/create-account.ts'
import type { Directory } from './directory.ts'
import { DirectoryError } from './directory-error.ts'
import { encodeScramKeys } from './scram-secret.ts'

/** The name of a shared secret that is the password itself; one of its own has the name ''. */
export const passwordSecretName = 'password'

/**
 * Sets the password; log-ins with the old one fail from the commit on, in every thread. `asSharedSecret` also keeps it readable, for CRAM-MD5 and
 * APOP: where the configuration allows it, and better with `createSharedSecret`, which does not risk the password.
 * Throws `DirectoryError`, `StoreError` `no-such-account`.
 */
export async function setPassword(
  directory: Directory,
  account: AccountId,
  password: string,
  asSharedSecret = false,
): Promise<void> {
  const credentials = await passwordCredentials(directory, password, asSharedSecret)
  await directory.store.mutate('replacePassword', { account, credentials })
}

/** Takes the password away; app passwords, tokens and certificates go on. Throws `StoreError` `no-such-account`. */
export async function removePassword(directory: Directory, account: AccountId): Promise<void> {
  await directory.store.mutate('replacePassword', { account, credentials: [] })
}

/**
 * Opts an account in to CRAM-MD5 and APOP: makes a secret for these two alone and gives its text, which cannot be had again. The server has to keep
 * it readable, so whoever reads the store can log in with it. Throws `DirectoryError` `not-allowed`, `StoreError` `no-such-account`.
 */
export async function createSharedSecret(directory: Directory, account: AccountId): Promise<string> {
  checkSharedSecrets(directory)
  const secret = randomBytes(18).toString('base64url')
  await deleteSharedSecret(directory, account)
  await directory.store.mutate('createCredential', {
    account,
    kind: 'shared-secret',
    name: '',
    secret,
    scopes: [],
  })
  return secret
}

/** Opts an account out again. */
export async function deleteSharedSecret(directory: Directory, account: AccountId): Promise<void> {
  try {
    await directory.store.mutate('deleteCredential', { account, kind: 'shared-secret' })
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'not-found') throw error
  }
}

/** Checks a new password and derives what is kept of it. Throws `DirectoryError` `invalid-password`, `not-allowed`. */
export async function passwordCredentials(
  directory: Directory,
  password: string,
  asSharedSecret: boolean,
): Promise<readonly NewCredential[]> {
  if (asSharedSecret) checkSharedSecrets(directory)
  const prepared = prepareNewPassword(password)
  if (prepared === undefined) {
    throw new DirectoryError(
      'invalid-password',
      'the password is empty, too long or has characters that RFC 4013 forbids',
    )
  }
  const least = directory.config.login.minPasswordCharacters
  if (Array.from(prepared).length < least) {
    throw new DirectoryError('invalid-password', `the password has fewer than ${least} characters`)
  }
  return deriveCredentials(directory.hasher, prepared, asSharedSecret)
}

/** What is kept of a prepared password. */
export async function deriveCredentials(
  hasher: PasswordHasher,
  prepared: string,
  asSharedSecret: boolean,
): Promise<readonly NewCredential[]> {
  const credential = (kind: NewCredential['kind'], secret: string, name = ''): NewCredential => ({
    kind,
    name,
    secret,
    scopes: [],
  })
  const [hash, sha1, sha256] = await Promise.all([
    hasher.hash(prepared),
    deriveScramKeys(prepared, 'sha1'),
    deriveScramKeys(prepared, 'sha256'),
  ])
  const credentials = [
    credential('password', hash),
    credential('scram-sha-1', encodeScramKeys(sha1, 'sha1')),
    credential('scram-sha-256', encodeScramKeys(sha256, 'sha256')),
  ]
  if (asSharedSecret) credentials.push(credential('shared-secret', prepared, passwordSecretName))
  return credentials
}

function checkSharedSecrets(directory: Directory): void {
  if (!directory.config.login.sharedSecrets) {
    throw new DirectoryError('not-allowed', 'the configuration does not allow shared secrets')
  }
}
