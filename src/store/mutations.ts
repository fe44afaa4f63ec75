// Every mutation by its name, and the types that follow from the table. Arguments and results cross threads: plain values only.
import { acceptMessage } from './mutations/accept-message.ts'
import { annotateMessages } from './mutations/annotate-messages.ts'
import { appendAsGuest, replaceAsGuest } from './mutations/append-as-guest.ts'
import { appendMessages } from './mutations/append-messages.ts'
import { asGuest } from './mutations/as-guest.ts'
import { beginAccountRemoval } from './mutations/begin-account-removal.ts'
import { claimRecent } from './mutations/claim-recent.ts'
import { copyMessages, moveMessages } from './mutations/copy-messages.ts'
import { createAccount } from './mutations/create-account.ts'
import { createAlias } from './mutations/create-alias.ts'
import { createCredential } from './mutations/create-credential.ts'
import { createDomain } from './mutations/create-domain.ts'
import { createMailbox } from './mutations/create-mailbox.ts'
import { createSecret } from './mutations/create-secret.ts'
import { createUrlKey } from './mutations/create-url-key.ts'
import { deleteAlias } from './mutations/delete-alias.ts'
import { deleteCredential } from './mutations/delete-credential.ts'
import { deleteDomain } from './mutations/delete-domain.ts'
import { deleteMailbox } from './mutations/delete-mailbox.ts'
import { deliverMessages } from './mutations/deliver-messages.ts'
import { enqueueMessages } from './mutations/enqueue-messages.ts'
import { expungeMessages } from './mutations/expunge-messages.ts'
import { isJoinable, joinStores, splitStored } from './mutations/gather-stores.ts'
import { labelMessages } from './mutations/label-messages.ts'
import { beginImport, endImport, importBodies, importRows } from './mutations/import-store.ts'
import { leaseQueue } from './mutations/lease-queue.ts'
import { pruneQueue } from './mutations/prune-queue.ts'
import { moveBodies } from './mutations/move-bodies.ts'
import { purgeAccount } from './mutations/purge-account.ts'
import { recordAttempt } from './mutations/record-attempt.ts'
import { purgeOrphans } from './mutations/purge-orphans.ts'
import { renameMailbox } from './mutations/rename-mailbox.ts'
import { renewLeases } from './mutations/renew-leases.ts'
import { replacePassword } from './mutations/replace-password.ts'
import { replaceMessage } from './mutations/replace-message.ts'
import { saveSnapshot } from './mutations/save-snapshot.ts'
import { forgetNode, reportNode } from './mutations/report-node.ts'
import { resetUrlKeys } from './mutations/reset-url-keys.ts'
import { setAnnotations } from './mutations/set-annotations.ts'
import { setRights } from './mutations/set-rights.ts'
import { setSpecialUse } from './mutations/set-special-use.ts'
import { setSubscription } from './mutations/set-subscription.ts'
import { steerQueue } from './mutations/steer-queue.ts'
import { type StoredFlags, storeFlags, type StoreFlags } from './mutations/store-flags.ts'
import { storeGuestFlags } from './mutations/store-guest-flags.ts'
import { transferMessages } from './mutations/transfer-messages.ts'
import { updateAccount } from './mutations/update-account.ts'
import { limits } from '../base/limits.ts'
import type { Tx } from './store.ts'
import { spanOf } from './uid-ranges.ts'

/** A change as a plain function: no closure, no clock but `tx.nowMs`, no I/O but `tx`. */
export type Mutation<Args, Result> = (tx: Tx, args: Args) => Promise<Result>

/** The table. One file each under `mutations/`. */
export const mutations = {
  acceptMessage,
  annotateMessages,
  appendAsGuest,
  appendMessages,
  asGuest,
  beginAccountRemoval,
  beginImport,
  claimRecent,
  copyMessages,
  createAccount,
  createAlias,
  createCredential,
  createDomain,
  createMailbox,
  createSecret,
  createUrlKey,
  deleteAlias,
  deleteCredential,
  deleteDomain,
  deleteMailbox,
  deliverMessages,
  endImport,
  enqueueMessages,
  expungeMessages,
  forgetNode,
  labelMessages,
  importBodies,
  importRows,
  leaseQueue,
  moveBodies,
  moveMessages,
  pruneQueue,
  purgeAccount,
  purgeOrphans,
  recordAttempt,
  renameMailbox,
  renewLeases,
  replaceAsGuest,
  replaceMessage,
  reportNode,
  replacePassword,
  saveSnapshot,
  resetUrlKeys,
  setAnnotations,
  setRights,
  setSpecialUse,
  setSubscription,
  steerQueue,
  storeFlags,
  storeGuestFlags,
  transferMessages,
  updateAccount,
} as const satisfies Record<string, Mutation<never, unknown>>

export type MutationName = keyof typeof mutations
export type MutationArgs<Name extends MutationName> = Parameters<(typeof mutations)[Name]>[1]
export type MutationResult<Name extends MutationName> = Awaited<ReturnType<(typeof mutations)[Name]>>

/** Mutations whose loss in a power cut loses no mail: the disk may have them a second later. */
const relaxed: ReadonlySet<MutationName> = new Set<MutationName>([
  'claimRecent',
  'saveSnapshot',
  'setSubscription',
  'storeFlags',
  'storeGuestFlags',
])

export function isRelaxed(name: MutationName): boolean {
  return relaxed.has(name)
}

/** The function of a name. Throws where there is none, as a message from another thread may ask for it. */
export function mutationOf(name: MutationName): Mutation<unknown, unknown> {
  const mutation = mutations[name] as unknown as Mutation<unknown, unknown> | undefined
  if (!mutation) throw new Error(`no such mutation: ${name}`)
  return mutation
}

/** A mutation with its arguments. */
export interface MutationCall {
  readonly name: MutationName
  readonly args: unknown
}

/** Several calls as one. */
export interface Gathered extends MutationCall {
  readonly count: number
  /** Where it is refused, each of them alone would be. */
  readonly isRefusedAsOne: boolean
  /** From the one result to that of each. */
  split(result: unknown): readonly unknown[]
}

/** What can be made as one of `calls`, which wait one behind the other, from the one at `at` on; undefined where that is to be made alone. */
export function gather(
  calls: readonly { readonly name: string; readonly args: unknown }[],
  at: number,
): Gathered | undefined {
  const joined: StoreFlags[] = []
  for (let next = at; calls[next]?.name === 'storeFlags'; next++) {
    const args = calls[next]?.args as StoreFlags
    const before = joined[joined.length - 1]
    if (before && !isJoinable(before, args)) break
    joined.push(args)
  }
  if (joined.length < 2) return undefined
  return {
    name: 'storeFlags',
    args: joinStores(joined),
    count: joined.length,
    // There may be no room for a keyword where a message has many.
    isRefusedAsOne: joined[0]?.flags.keywords.length === 0,
    split: result => splitStored(joined, result as StoredFlags),
  }
}

/** Whether it is relaxed and looks at a few rows only, whatever the mailbox holds. */
export function isBrief(name: MutationName, args: unknown): boolean {
  switch (name) {
    case 'claimRecent':
    case 'setSubscription':
      return true
    case 'storeFlags':
    case 'storeGuestFlags': {
      const { uids } = args as MutationArgs<'storeFlags' | 'storeGuestFlags'>
      return spanOf(uids) <= limits.store.briefMessages
    }
    default:
      return false
  }
}
