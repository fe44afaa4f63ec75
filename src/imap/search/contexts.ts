// Searches whose results are kept up to date: UPDATE, ADDTO and REMOVEFROM. RFC 5267 §4.3.
//
// A context knows its results by UID and the modSeq up to which it has seen changes. What changed since is searched again, nothing else.
import { limits } from '../../base/limits.ts'
import type { MailboxDelta, MailboxSnapshot } from '../../store/mailbox-snapshot.ts'
import type { Encoder } from '../encoder.ts'
import { findTargets } from '../fetch/targets.ts'
import type { MailboxView } from '../mailbox-view.ts'
import { formatNumbers } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import { placeInOrder } from '../sort/place-in-order.ts'
import type { SortCriterion } from '../sort/sort-criterion.ts'
import type { Collation } from './collation.ts'
import { findMatches } from './evaluate.ts'
import type { Criterion, SearchKey } from './search-key.ts'
import { type SearchScope, scopeOf } from './search-scope.ts'
import { type Correlator, writeCorrelator } from './write-result.ts'

/** A search to be kept up to date. */
export interface ContextSearch {
  /** As its answer had it. */
  readonly correlator: Correlator
  readonly isUid: boolean
  readonly criterion: Criterion
  readonly sort: readonly SortCriterion[] | undefined
}

interface Context extends ContextSearch {
  /** UIDs, in the order of the sort where there is one. */
  results: number[]
  readonly members: Set<number>
  /** By which the results are in order; the client may choose another later (RFC 5255 §4.7). */
  readonly comparator: Collation
  modSeq: number
}

/** The updating searches of one selected mailbox. They end when another is selected. */
export class SearchContexts {
  readonly #session: Session
  readonly #view: MailboxView
  readonly #contexts = new Map<string, Context>()

  constructor(session: Session) {
    this.#session = session
    this.#view = session.view
  }

  has(tag: string): boolean {
    return this.#contexts.has(tag)
  }

  /** Takes up a search with its results; false when it would be too much (RFC 5267 §4.3.1). The first is always taken. */
  add(search: ContextSearch, scope: SearchScope, matches: Uint32Array): boolean {
    let total = matches.length
    for (const { results } of this.#contexts.values()) total += results.length
    const isTooMuch = this.#contexts.size >= limits.imap.contexts || total > limits.imap.contextResults
    if (this.#contexts.size > 0 && isTooMuch) return false
    const results = Array.from(matches, index => scope.uids[index] as number)
    this.#contexts.set(search.correlator.tag, {
      ...search,
      criterion: settled(search.criterion, scope),
      results,
      members: new Set(results),
      comparator: this.#session.comparator,
      // Messages that the client has not been told of yet were not looked at.
      modSeq: Math.min(scope.snapshot.modSeq, this.#view.toldModSeq),
    })
    return true
  }

  /** False when there is no such context. */
  cancel(tag: string): boolean {
    return this.#contexts.delete(tag)
  }

  /** Before EXPUNGE, while the numbers still mean what they did (RFC 5267 §4.3.4): messages that are gone. */
  tellGone(delta: MailboxDelta, snapshot: MailboxSnapshot, out: Encoder): void {
    for (const context of this.#contexts.values()) {
      const { members } = context
      const gone = delta.isComplete
        ? delta.vanished.map(({ uid }) => uid as number).filter(uid => members.has(uid))
        : context.results.filter(uid => snapshot.positionOf(uid) < 0)
      if (gone.length > 0) this.#write(context, out, this.#remove(context, new Set(gone)))
    }
  }

  /** After EXISTS and FETCH (§4.3.2): messages that have come, and those whose flags matter. */
  async tellChanged(snapshot: MailboxSnapshot, out: Encoder): Promise<void> {
    for (const context of this.#contexts.values()) {
      if (context.modSeq >= snapshot.modSeq) continue
      const scope = this.#scopeOfChanges(snapshot, context.modSeq)
      context.modSeq = snapshot.modSeq
      if (scope.count === 0) continue
      const found = await findMatches(this.#session, scope, context.criterion)
      const matching = new Set(Array.from(found, index => scope.uids[index] as number))
      const changed = Array.from(scope.uids)
      const removed = changed.filter(uid => context.members.has(uid) && !matching.has(uid))
      const added = changed.filter(uid => !context.members.has(uid) && matching.has(uid))
      if (removed.length + added.length === 0) continue
      const text = this.#remove(context, new Set(removed)) + (await this.#insert(context, added, scope))
      this.#write(context, out, text)
    }
  }

  /** The messages that the client knows and that changed after `modSeq`. */
  #scopeOfChanges(snapshot: MailboxSnapshot, modSeq: number): SearchScope {
    const view = this.#view
    const uids = snapshot
      .changedAfter(modSeq as MailboxSnapshot['modSeq'])
      .map(position => snapshot.uids.at(position))
      .filter(uid => view.numberOf(uid) > 0)
    const numbers = uids.map(uid => view.numberOf(uid))
    const targets = findTargets(snapshot, { count: uids.length, uids, numbers }, undefined)
    return scopeOf(view, snapshot, targets, this.#session.context.clock.now())
  }

  #write({ correlator, isUid }: Context, out: Encoder, text: string): void {
    out.ascii('* ESEARCH ')
    writeCorrelator(this.#session, correlator)
    out.line(`${isUid ? ' UID' : ''}${text}`)
  }

  #format({ isUid }: Context, uids: readonly number[]): string {
    return formatNumbers(isUid ? uids : uids.map(uid => this.#view.numberOf(uid)))
  }

  /** Takes `gone` out of the results: ` REMOVEFROM (…)`. */
  #remove(context: Context, gone: ReadonlySet<number>): string {
    if (gone.size === 0) return ''
    for (const uid of gone) context.members.delete(uid)
    const kept: number[] = []
    const runs: string[] = []
    let run: number[] = []
    // A run begins where it stands once those before it are away.
    const end = () => {
      if (run.length > 0) runs.push(`${kept.length + 1} ${this.#format(context, run)}`)
      run = []
    }
    for (const uid of context.results) {
      if (gone.has(uid)) run.push(uid)
      else {
        end()
        kept.push(uid)
      }
    }
    end()
    context.results = kept
    // In mailbox order no places are needed.
    if (!context.sort)
      return ` REMOVEFROM (0 ${this.#format(
        context,
        [...gone].sort((a, b) => a - b),
      )})`
    return ` REMOVEFROM (${runs.join(' ')})`
  }

  /** Puts `added` (ascending) among the results: ` ADDTO (…)`. */
  async #insert(context: Context, added: readonly number[], scope: SearchScope): Promise<string> {
    if (added.length === 0) return ''
    for (const uid of added) context.members.add(uid)
    if (!context.sort) {
      context.results = context.results.concat(added).sort((a, b) => a - b)
      return ` ADDTO (0 ${this.#format(context, added)})`
    }
    const placed = await placeInOrder(
      this.#session,
      scope,
      { criteria: context.sort, comparator: context.comparator },
      context.results,
      added,
    )
    const runs: string[] = []
    const results: number[] = []
    let taken = 0
    for (const { before, uids } of placed) {
      for (; taken < before; taken++) results.push(context.results[taken] as number)
      runs.push(`${results.length + 1} ${this.#format(context, uids)}`)
      for (const uid of uids) results.push(uid)
    }
    for (; taken < context.results.length; taken++) results.push(context.results[taken] as number)
    context.results = results
    return ` ADDTO (${runs.join(' ')})`
  }
}

/** The criterion with message numbers and `$` as what they meant when the command was given (RFC 5267 §4.3). */
function settled(criterion: Criterion, scope: SearchScope): Criterion {
  switch (criterion.kind) {
    case 'key':
      return criterion.isMomentary ? settledKey(criterion, scope) : criterion
    case 'not':
      return { kind: 'not', of: settled(criterion.of, scope) }
    default:
      return { kind: criterion.kind, of: criterion.of.map(one => settled(one, scope)) }
  }
}

function settledKey(key: SearchKey, scope: SearchScope): SearchKey {
  const test = key.bind(scope)
  const uids = new Set<number>()
  // Such keys look at no content.
  for (let index = 0; index < scope.count; index++)
    if (test(index, undefined as never)) uids.add(scope.uids[index] as number)
  return {
    kind: 'key',
    cost: 'snapshot',
    bind:
      ({ uids: all }) =>
      index =>
        uids.has(all[index] as number),
  }
}
