// Quota roots and their resources. RFC 9208, from knowledge of it. Each account is one root, called by its address.
import { limits } from '../base/limits.ts'
import { type AccountRow, findAccount, findAccountByAddress } from '../store/read/account.ts'
import { type AccountQuota, findQuota } from '../store/read/quota.ts'
import type { MutationArgs } from '../store/mutations.ts'
import { no } from './error.ts'
import type { Session } from './session.ts'

type LimitColumn = 'quotaBytes' | 'quotaMessages' | 'quotaMailboxes' | 'quotaAnnotationBytes'

export interface QuotaResource {
  readonly name: string
  /** Bytes or pieces of one unit on the wire. */
  readonly unit: number
  readonly column: LimitColumn
  readonly used: (quota: AccountQuota) => number
  /** Undefined: without a limit. */
  readonly limit: (quota: AccountQuota, session: Session) => number | undefined
}

export const quotaResources: readonly QuotaResource[] = [
  {
    name: 'STORAGE',
    unit: 1024,
    column: 'quotaBytes',
    used: quota => quota.usedBytes,
    limit: (quota, { context }) => quota.limitBytes ?? context.config.quota?.bytes ?? undefined,
  },
  {
    name: 'MESSAGE',
    unit: 1,
    column: 'quotaMessages',
    used: quota => quota.usedMessages,
    limit: (quota, { context }) => quota.limitMessages ?? context.config.quota?.messages ?? undefined,
  },
  {
    name: 'MAILBOX',
    unit: 1,
    column: 'quotaMailboxes',
    used: quota => quota.usedMailboxes,
    limit: quota => quota.limitMailboxes ?? limits.mailbox.perAccount,
  },
  {
    name: 'ANNOTATION-STORAGE',
    unit: 1024,
    column: 'quotaAnnotationBytes',
    used: quota => quota.usedAnnotationBytes,
    limit: quota => quota.limitAnnotationBytes ?? limits.annotation.accountBytes,
  },
]

/** The account of a root that this client may see: its own, or any for an administrator. Throws NO. */
export async function findRoot(session: Session, root: string): Promise<AccountRow> {
  const { identity, store } = session
  const address = root.toLowerCase()
  // One answer for roots of others and for those that are not there.
  if (address !== identity.address && !identity.isAdmin) throw no('NOPERM', 'That quota root is not yours')
  const account =
    address === identity.address
      ? await findAccount(store.reader, identity.account)
      : await findAccountByAddress(store.reader, address)
  if (!account) throw no('NONEXISTENT', 'There is no such quota root')
  return account
}

/** `* QUOTA root (STORAGE 10 512)`: the resources that have a limit. */
export async function writeQuota(session: Session, account: AccountRow): Promise<void> {
  const quota = await findQuota(session.store.reader, account.id)
  if (!quota) throw no('NONEXISTENT', 'There is no such quota root')
  const texts: string[] = []
  for (const { name, unit, used, limit } of quotaResources) {
    const bound = limit(quota, session)
    // What is used is rounded up, what may be used down, so that "full" is never shown as room.
    if (bound !== undefined)
      texts.push(`${name} ${Math.ceil(used(quota) / unit)} ${Math.floor(bound / unit)}`)
  }
  session.out
    .ascii('* QUOTA ')
    .astring(account.address)
    .line(` (${texts.join(' ')})`)
}

/** The change that `limits` (by resource, in units) make: what they don't name goes back to the server's default (RFC 2087 §4.1). */
export function quotaChange(
  account: AccountRow,
  wanted: ReadonlyMap<string, number>,
): MutationArgs<'updateAccount'> {
  const columns: Partial<Record<LimitColumn, number | null>> = {}
  for (const { name, unit, column } of quotaResources) {
    const value = wanted.get(name)
    columns[column] = value === undefined ? null : value * unit
  }
  return { account: account.id, ...columns }
}
