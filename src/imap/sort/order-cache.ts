// Orders of whole mailboxes that SORT and THREAD have worked out, for clients that ask again: webmail asks with every page it shows.
//
// They hang on nothing but which messages there are: what is sorted by never changes of a message. A snapshot's column of UIDs is another one after an
// expunge, and with new mail it is longer.
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import type { UidColumn } from '../../store/mailbox-snapshot.ts'
import type { SearchScope } from '../search/search-scope.ts'

interface KnownOrder {
  readonly uids: UidColumn
  readonly count: number
  readonly order: Uint32Array
}

export class OrderCache {
  readonly #orders = new Lru<string, KnownOrder>(limits.imap.orderCacheBytes)

  /**
   * What was kept as `what` of the whole mailbox, else what `work` gives, which is kept where `matches` are all its messages. `what` is undefined where the
   * order hangs on more than which messages there are.
   */
  async order(
    scope: SearchScope,
    matches: Uint32Array,
    what: string | undefined,
    work: () => Promise<Uint32Array>,
  ): Promise<Uint32Array> {
    const { snapshot, view } = scope
    const { uids, count } = snapshot
    if (matches.length !== count || what === undefined) return work()
    const known = this.find(scope, what)
    if (known) return known
    const order = await work()
    this.#orders.set(keyOf(view.mailbox, what), { uids, count, order }, order.byteLength)
    return order
  }

  /** What was kept as `what` while the mailbox had the messages that it has now. */
  find({ snapshot, view }: SearchScope, what: string): Uint32Array | undefined {
    const known = this.#orders.get(keyOf(view.mailbox, what))
    return known?.uids === snapshot.uids && known.count === snapshot.count ? known.order : undefined
  }
}

function keyOf({ account, id }: SearchScope['view']['mailbox'], what: string): string {
  return `${account}/${id}/${what}`
}
