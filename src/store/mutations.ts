// Every mutation by its name, and the types that follow from the table. Arguments and results cross threads: plain values only.

import { beginAccountRemoval } from './mutations/begin-account-removal.ts'
import { createAccount } from './mutations/create-account.ts'
import { createAlias } from './mutations/create-alias.ts'
import { createCredential } from './mutations/create-credential.ts'
import { createDomain } from './mutations/create-domain.ts'
import { createSecret } from './mutations/create-secret.ts'
import { deleteAlias } from './mutations/delete-alias.ts'
import { deleteCredential } from './mutations/delete-credential.ts'
import { deleteDomain } from './mutations/delete-domain.ts'
import { purgeAccount } from './mutations/purge-account.ts'
import { replacePassword } from './mutations/replace-password.ts'
import { updateAccount } from './mutations/update-account.ts'
import type { Tx } from './store.ts'

/** A change as a plain function: no closure, no clock but `tx.nowMs`, no I/O but `tx`. */
export type Mutation<Args, Result> = (tx: Tx, args: Args) => Promise<Result>

/** The table. One file each under `mutations/`. */
export const mutations = {
  beginAccountRemoval,
  createAccount,
  createAlias,
  createCredential,
  createDomain,
  createSecret,
  deleteAlias,
  deleteCredential,
  deleteDomain,
  purgeAccount,
  replacePassword,
  updateAccount,
} as const satisfies Record<string, Mutation<never, unknown>>

export type MutationName = keyof typeof mutations
export type MutationArgs<Name extends MutationName> = Parameters<(typeof mutations)[Name]>[1]
export type MutationResult<Name extends MutationName> = Awaited<ReturnType<(typeof mutations)[Name]>>
