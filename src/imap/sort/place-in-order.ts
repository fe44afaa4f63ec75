// Where new messages belong among those that are in order already: binary search, so that few keys are read. RFC 5267 §4.3.3.
import { breathingSort } from '../../base/breathing-sort.ts'
import { readAnnotationTexts } from '../annotation/annotation-texts.ts'
import type { Collation } from '../search/collation.ts'
import { breatheIn } from '../breaths.ts'
import type { SearchScope } from '../search/search-scope.ts'
import type { Session } from '../session.ts'
import { collationKey } from './collation-key.ts'
import { type KeyColumn, readKeyColumns } from '../../store/read/email-columns.ts'
import type { AnnotationSource, SortCriterion } from './sort-criterion.ts'

type Key = readonly (number | string)[]

/** What puts messages in order. */
export interface SortOrder {
  readonly criteria: readonly SortCriterion[]
  readonly comparator: Collation
}

/** Messages that belong together behind the first `before` of the old ones. */
export interface Placed {
  readonly before: number
  readonly uids: number[]
}

/** The places of `added` among `ordered`, ascending; UIDs of the scope's snapshot. */
export async function placeInOrder(
  session: Session,
  scope: SearchScope,
  order: SortOrder,
  ordered: readonly number[],
  added: readonly number[],
): Promise<readonly Placed[]> {
  const keys = new Keys(session, scope, order)
  const known: { readonly uid: number; readonly key: Key }[] = []
  for (const uid of added) known.push({ uid, key: await keys.of(uid) })
  const places = Uint32Array.from(known.keys())
  const keyAt = (at: number) => (known[at] as (typeof known)[number]).key
  await breathingSort(
    places,
    (a, b) => keys.compare(keyAt(a), keyAt(b)),
    () => breatheIn(session),
  )
  const placed: Placed[] = []
  for (const at of places) {
    const { uid, key } = known[at] as (typeof known)[number]
    let low = placed.at(-1)?.before ?? 0
    let high = ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (keys.compare(await keys.of(ordered[middle] as number), key) < 0) low = middle + 1
      else high = middle
    }
    const last = placed.at(-1)
    if (last?.before === low) last.uids.push(uid)
    else placed.push({ before: low, uids: [uid] })
    await breatheIn(session)
  }
  return placed
}

/** The sort keys of single messages, read when they are asked for. */
class Keys {
  readonly #session: Session
  readonly #scope: SearchScope
  readonly #criteria: readonly SortCriterion[]
  readonly #comparator: Collation
  readonly #columns: readonly KeyColumn[]
  readonly #known = new Map<number, Key>()

  constructor(session: Session, scope: SearchScope, { criteria, comparator }: SortOrder) {
    this.#session = session
    this.#scope = scope
    this.#criteria = criteria
    this.#comparator = comparator
    const columns = criteria.flatMap(({ source }): readonly KeyColumn[] => {
      if (source.kind === 'text') return [source.column]
      return source.kind === 'sent' ? ['sent_at'] : []
    })
    this.#columns = [...new Set(columns)]
  }

  async of(uid: number): Promise<Key> {
    const known = this.#known.get(uid)
    if (known) return known
    const { snapshot, view } = this.#scope
    const position = snapshot.positionOf(uid)
    const row = new Map<KeyColumn, unknown>()
    if (this.#columns.length > 0 && position >= 0) {
      await readKeyColumns(
        this.#session.store.reader,
        view.mailbox.account,
        Float64Array.of(snapshot.emailAt(position)),
        this.#columns,
        (_place, values) => {
          for (const [at, column] of this.#columns.entries()) row.set(column, values[at])
        },
        () => breatheIn(this.#session),
      )
    }
    const receivedAt = position < 0 ? 0 : snapshot.receivedAts.at(position)
    const texts = await this.#annotations(uid)
    const key = this.#criteria.map(({ source }) => {
      if (source.kind === 'arrival') return receivedAt
      if (source.kind === 'size') return position < 0 ? 0 : snapshot.sizes.at(position)
      // RFC 5256 §2.2.
      if (source.kind === 'sent') return (row.get('sent_at') as number | null | undefined) ?? receivedAt
      if (source.kind === 'annotation') return collationKey(texts.get(source) ?? '', this.#comparator)
      // A search in that order is not kept up to date.
      if (source.kind === 'relevancy') return 0
      return collationKey((row.get(source.column) as string | undefined) ?? '', this.#comparator)
    })
    // The mailbox's order is the last criterion (RFC 5256 §3).
    const whole = [...key, uid]
    this.#known.set(uid, whole)
    return whole
  }

  async #annotations(uid: number): Promise<ReadonlyMap<AnnotationSource, string>> {
    const texts = new Map<AnnotationSource, string>()
    for (const { source } of this.#criteria) {
      if (source.kind !== 'annotation') continue
      const { mailbox } = this.#scope.view
      await readAnnotationTexts(this.#session, mailbox, source, [uid, uid], (_uid, text) => {
        texts.set(source, text)
      })
    }
    return texts
  }

  compare(a: Key, b: Key): number {
    for (let at = 0; at < a.length; at++) {
      const one = a[at] as number | string
      const other = b[at] as number | string
      if (one === other) continue
      const order = one < other ? -1 : 1
      return this.#criteria[at]?.isReverse === true ? -order : order
    }
    return 0
  }
}
