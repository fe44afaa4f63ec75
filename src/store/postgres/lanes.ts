// Which lock a mutation takes, so that those which would wait for each other are run one after another, and together where that saves commits.
import type { AccountId } from '../../base/ids.ts'
import type { MutationName } from '../mutations.ts'
import { serverAccount } from '../mutations/enqueue-messages.ts'

/** What is locked first: an account's row, or the directory as a whole. */
export type Lane = AccountId | 'directory'

export interface Route {
  readonly lane: Lane
  /** It locks more accounts than that of its lane, so it has a transaction of its own: in the order of ids nobody waits in a circle. */
  readonly isAlone: boolean
}

/** Mutations that look at accounts, aliases and domains as a whole before they change them. */
const ofDirectory: ReadonlySet<MutationName> = new Set<MutationName>([
  'beginAccountRemoval',
  'createAccount',
  'createAlias',
  'createDomain',
  'createSecret',
  'deleteAlias',
  'deleteDomain',
  'updateAccount',
])

/** Mutations of the queue, which belongs to the server's own account. */
const ofQueue: ReadonlySet<MutationName> = new Set<MutationName>([
  'enqueueMessages',
  'leaseQueue',
  'pruneQueue',
  'recordAttempt',
  'renewLeases',
  'steerQueue',
])

/** The queue's lock comes before any other, since the outcome of sending may be delivered here. */
export function routeOf(name: MutationName, args: unknown): Route {
  if (ofDirectory.has(name)) return { lane: 'directory', isAlone: false }
  if (ofQueue.has(name)) return { lane: serverAccount, isAlone: false }
  const { account, deliveries, messages, retries } = args as {
    readonly account?: AccountId
    readonly deliveries?: readonly { readonly account: AccountId }[]
    readonly messages?: readonly unknown[]
    readonly retries?: readonly unknown[]
  }
  if (typeof account === 'number') return { lane: account, isAlone: false }
  if (!Array.isArray(deliveries)) return { lane: 'directory', isAlone: false }
  if ((name === 'acceptMessage' && messages?.length) || retries?.length)
    return { lane: serverAccount, isAlone: false }
  const accounts = (deliveries as readonly { readonly account: AccountId }[]).map(
    delivery => delivery.account,
  )
  const lowest = accounts.reduce((low, next) => (next < low ? next : low), accounts[0] ?? serverAccount)
  return { lane: lowest, isAlone: accounts.some(other => other !== lowest) }
}
