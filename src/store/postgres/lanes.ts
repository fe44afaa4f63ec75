// Which lock a mutation takes, so that those which would wait for each other are run one after another, and together where that saves commits.
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { MutationName } from '../mutations.ts'
import { bodiesIn } from '../mutations/bodies-in.ts'
import { serverAccount } from '../mutations/enqueue-messages.ts'

/** What is locked first: an account's row, or the directory as a whole. Mail that comes into the queue locks nothing: its lane is what shares a commit. */
export type Lane = AccountId | 'directory' | 'queue'

export interface Route {
  readonly lane: Lane
  /** It locks more accounts than that of its lane, so it has a transaction of its own: in the order of ids nobody waits in a circle. */
  readonly isAlone: boolean
  /** It takes a few statements whatever the account holds, so it may share a transaction with those of other accounts, which then wait for one another. */
  readonly isShort: boolean
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

/** Mutations of what is in the queue, which belongs to the server's own account. */
const ofQueue: ReadonlySet<MutationName> = new Set<MutationName>([
  'leaseQueue',
  'pruneQueue',
  'recordAttempt',
  'renewLeases',
  'steerQueue',
])

/** Mutations that put mail into the queue, beside what they do in accounts. */
const intoQueue: ReadonlySet<MutationName> = new Set<MutationName>(['acceptMessage', 'enqueueMessages'])

/** The queue's lock comes before any other, since the outcome of sending may be delivered here. */
export function routeOf(name: MutationName, args: unknown): Route {
  if (ofDirectory.has(name)) return { lane: 'directory', isAlone: false, isShort: false }
  if (ofQueue.has(name)) return { lane: serverAccount, isAlone: false, isShort: false }
  const accounts = accountsOf(args as Args)
  const [lane = intoQueue.has(name) ? 'queue' : 'directory'] = accounts
  const isAlone = accounts.length > 1
  return { lane, isAlone, isShort: !isAlone && typeof lane === 'number' && isShort(name, args) }
}

/** Mutations that are short when they bring little. */
const ofArrival: ReadonlySet<MutationName> = new Set<MutationName>([
  'acceptMessage',
  'appendMessages',
  'deliverMessages',
])

function isShort(name: MutationName, args: unknown): boolean {
  if (!ofArrival.has(name)) return false
  const bodies = bodiesIn(args)
  return (
    bodies.length <= limits.postgres.shortMessages &&
    bodies.every(body => body.kind === 'inline' && body.bytes.byteLength <= limits.postgres.chunkBytes)
  )
}

/** What mutations call the accounts whose rows they change. */
interface Args {
  readonly account?: AccountId
  /** Where messages come from and go to, in accounts that may differ. */
  readonly source?: { readonly account?: AccountId }
  readonly target?: { readonly account?: AccountId }
  readonly needs?: readonly { readonly account: AccountId }[]
  readonly deliveries?: readonly { readonly account: AccountId }[]
}

/** In the order of their ids, in which they are locked. */
function accountsOf({ account, source, target, needs = [], deliveries = [] }: Args): readonly AccountId[] {
  const named = [{ account }, source, target, ...needs, ...deliveries].map(place => place?.account)
  const accounts = named.filter(found => typeof found === 'number')
  return [...new Set(accounts)].sort((a, b) => a - b)
}
