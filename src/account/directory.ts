// Domains and aliases by the names that people write, and what an account is made with. RFC 5321 §2.3.12, §3.9; RFC 6154 (special use).
import type { AccountId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { PasswordHasher } from '../sasl/password.ts'
import type { UpdateAccount } from '../store/mutations/update-account.ts'
import { type AccountKind, type AccountRow, findAccountByAddress } from '../store/read/account.ts'
import type { Store } from '../store/store.ts'
import { type Address, normalizeDomain, parseAddress } from './address.ts'
import type { AccountConfig } from './config.ts'
import { DirectoryError } from './directory-error.ts'
import { RecipientCache } from './recipient-cache.ts'
import { passwordCredentials } from './set-password.ts'

/** What the functions of the directory work with. */
export interface Directory {
  readonly store: Store
  readonly config: AccountConfig
  /** One per thread. */
  readonly hasher: PasswordHasher
  /** Where mail for an address goes, remembered. */
  readonly recipients: RecipientCache
}

/** A directory over `store`, one per thread. */
export function openDirectory(store: Store, config: AccountConfig): Directory {
  const { concurrency, ...cost } = config.login.hash
  return {
    store,
    config,
    hasher: new PasswordHasher({ cost, hashesAtOnce: concurrency }),
    recipients: new RecipientCache(store, config),
  }
}

export interface NewAccount {
  readonly address: string
  /** None: nobody can log in until one is set. */
  readonly password?: string
  readonly displayName?: string
  readonly isAdmin?: boolean
  /** A person's by default. Nobody logs in as a shared one: it owns mailboxes that several use. */
  readonly kind?: AccountKind
  readonly quotaBytes?: number
  readonly quotaMessages?: number
  /** Takes the address's domain as ours when it is not yet. */
  readonly createDomain?: boolean
  /** Keeps the password readable for CRAM-MD5 and APOP, where the configuration allows it. */
  readonly asSharedSecret?: boolean
}

/** The mailboxes of a new account; all are subscribed. RFC 6154 §2. */
export const firstMailboxes = [
  { name: 'INBOX' },
  { name: 'Drafts', specialUse: '\\Drafts' },
  { name: 'Sent', specialUse: '\\Sent' },
  { name: 'Junk', specialUse: '\\Junk' },
  { name: 'Trash', specialUse: '\\Trash' },
  { name: 'Archive', specialUse: '\\Archive' },
] as const

/** Makes an account, whole or not at all. Throws `DirectoryError`, and `StoreError` `exists` and `not-found` (the domain is not ours). */
export async function createAccount(directory: Directory, account: NewAccount): Promise<AccountId> {
  const { address, domain } = getAddress(directory, account.address)
  const isShared = account.kind === 'shared'
  if (isShared && (account.password !== undefined || account.isAdmin === true))
    throw new DirectoryError('not-allowed', 'nobody logs in as a shared account: it has no password')
  const credentials =
    account.password === undefined
      ? []
      : await passwordCredentials(directory, account.password, account.asSharedSecret === true)
  const made = await directory.store.mutate('createAccount', {
    address,
    domain,
    createDomain: account.createDomain === true,
    displayName: checkName(account.displayName ?? ''),
    isAdmin: account.isAdmin === true,
    kind: account.kind,
    quotaBytes: account.quotaBytes,
    quotaMessages: account.quotaMessages,
    credentials,
    mailboxes: isShared ? firstMailboxes.slice(0, 1) : firstMailboxes,
  })
  return made.account
}

/** The account that a person means by `text`, an address or, in the default domain, a local part. Undefined when there is none. */
export async function findAccountByName(directory: Directory, text: string): Promise<AccountRow | undefined> {
  const parsed = parseAddress(text, directory.config.addressing)
  return parsed && findAccountByAddress(directory.store.reader, parsed.address)
}

/** Changes display name, state, administrator or quota; what is undefined stays. Throws `StoreError` `no-such-account`. */
export async function updateAccount(directory: Directory, change: UpdateAccount): Promise<void> {
  if (change.displayName !== undefined) checkName(change.displayName)
  await directory.store.mutate('updateAccount', change)
}

/** Throws `StoreError` `exists`. The name that the directory keeps. */
export async function createDomain(directory: Directory, text: string): Promise<string> {
  const name = getDomain(text)
  await directory.store.mutate('createDomain', { name })
  return name
}

/** Throws `StoreError` `not-found`, and `in-use` while it has accounts or aliases. */
export async function deleteDomain(directory: Directory, text: string): Promise<void> {
  await directory.store.mutate('deleteDomain', { name: getDomain(text) })
}

/**
 * Adds targets to an alias; '@domain' is the catch-all, and the alias's own address among the targets keeps a copy in the account of that address.
 * Throws `StoreError` `not-found` (the domain is not ours), `exists`, `loop`, `too-many`.
 */
export async function createAlias(
  directory: Directory,
  text: string,
  targets: readonly string[],
): Promise<void> {
  const { address, domain } = getAliasAddress(directory, text)
  const normal = targets.map(target => getAddress(directory, target).address)
  await directory.store.mutate('createAlias', { address, domain, targets: normal })
}

/** Removes one target, or all. Throws `StoreError` `not-found`. */
export async function deleteAlias(directory: Directory, text: string, target?: string): Promise<void> {
  await directory.store.mutate('deleteAlias', {
    address: getAliasAddress(directory, text).address,
    target: target === undefined ? undefined : getAddress(directory, target).address,
  })
}

function getAddress(directory: Directory, text: string): Address {
  const parsed = parseAddress(text, directory.config.addressing)
  if (!parsed) throw new DirectoryError('invalid-address', `not an address: ${JSON.stringify(text)}`)
  return parsed
}

function getAliasAddress(
  directory: Directory,
  text: string,
): { readonly address: string; readonly domain: string } {
  if (!text.startsWith('@')) return getAddress(directory, text)
  const domain = getDomain(text.slice(1))
  return { address: `@${domain}`, domain }
}

function getDomain(text: string): string {
  const name = normalizeDomain(text)
  if (name === undefined) throw new DirectoryError('invalid-address', `not a domain: ${JSON.stringify(text)}`)
  return name
}

/** A name that a person gave, without controls. Throws `DirectoryError` `invalid-name`. */
export function checkName(name: string): string {
  if (Buffer.byteLength(name) > limits.account.nameBytes || /[\p{Cc}\p{Cs}]/u.test(name)) {
    throw new DirectoryError('invalid-name', 'a name is too long or has control characters in it')
  }
  return name
}
