// The accounts of a server in a program.
import { createAccount, type Directory, findAccountByName } from '../account/directory.ts'
import { removeAccount } from '../account/remove-account.ts'
import { setPassword } from '../account/set-password.ts'
import type { AccountRow } from '../store/read/account.ts'
import { listAccounts } from '../store/read/account.ts'

export interface Account {
  readonly address: string
  readonly displayName: string
  readonly usedMessages: number
  readonly usedBytes: number
}

export interface NewAccountOptions {
  readonly displayName?: string
  readonly isAdmin?: boolean
  readonly quotaBytes?: number
  readonly quotaMessages?: number
}

export class Accounts {
  readonly #directory: Directory

  constructor(directory: Directory) {
    this.#directory = directory
  }

  /** Makes an account, and its domain when that is new. Throws `StoreError` `exists`, `DirectoryError`. */
  async create(address: string, password: string, options: NewAccountOptions = {}): Promise<Account> {
    await createAccount(this.#directory, { ...options, address, password, createDomain: true })
    return publicAccount(await this.row(address))
  }

  /** All accounts, by address. */
  async list(): Promise<readonly Account[]> {
    const all: AccountRow[] = []
    for (;;) {
      const page = await listAccounts(this.#directory.store.reader, all.at(-1)?.address)
      if (page.length === 0) return all.map(publicAccount)
      all.push(...page)
    }
  }

  /** Changes a password; log-ins with the old one fail from then on. */
  async setPassword(address: string, password: string): Promise<void> {
    await setPassword(this.#directory, (await this.row(address)).id, password)
  }

  /** Removes an account with all its mail. */
  async remove(address: string): Promise<void> {
    await removeAccount(this.#directory.store, (await this.row(address)).id)
  }

  /** The account's row. Throws an Error when there is none. */
  async row(address: string): Promise<AccountRow> {
    const row = await findAccountByName(this.#directory, address)
    if (!row) throw new Error(`there is no account ${address}: make it with server.accounts.create`)
    return row
  }
}

function publicAccount({ address, displayName, usedMessages, usedBytes }: AccountRow): Account {
  return { address, displayName, usedMessages, usedBytes }
}
