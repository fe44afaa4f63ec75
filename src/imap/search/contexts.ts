// Searches whose results are kept up to date: UPDATE, ADDTO and REMOVEFROM. RFC 5267 §4.3.
//
// A context knows its results by UID and the modSeq up to which it has seen changes. What changed since is searched again, nothing else.
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { limits } from '../../base/limits.ts'
import type { MailboxDelta, MailboxSnapshot } from '../../store/mailbox-snapshot.ts'
import { breatheIn } from '../breaths.ts'
import type { Encoder } from '../encoder.ts'
import { findTargets } from '../fetch/targets.ts'
import type { MailboxView } from '../mailbox-view.ts'
import { formatMany } from '../sequence-set.ts'
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

/** Neighbours among the results, by the place of the first. */
interface Run {
  readonly place: number
  readonly uids: number[]
}

/** The updating searches of one selected mailbox. They end when another is selected. */
export class SearchContexts {
  readonly #session: Session
  readonly #view: MailboxView
  readonly #breathe: Breathe
  readonly #contexts = new Map<string, Context>()

  constructor(session: Session) {
    this.#session = session
    this.#view = session.view
    this.#breathe = () => breatheIn(session)
  }

  has(tag: string): boolean {
    return this.#contexts.has(tag)
  }

  /** Takes up a search with its results; false when it would be too much (RFC 5267 §4.3.1). The first is always taken. */
  async add(search: ContextSearch, scope: SearchScope, matches: Uint32Array): Promise<boolean> {
    let total = matches.length
    for (const { results } of this.#contexts.values()) total += results.length
    const isTooMuch = this.#contexts.size >= limits.imap.contexts || total > limits.imap.contextResults
    if (this.#contexts.size > 0 && isTooMuch) return false
    const results: number[] = []
    const members = new Set<number>()
    await inStretches(matches.length, this.#breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const uid = scope.uids[matches[at] as number] as number
        results.push(uid)
        members.add(uid)
      }
    })
    this.#contexts.set(search.correlator.tag, {
      ...search,
      criterion: settled(search.criterion, scope),
      results,
      members,
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
  async tellGone(delta: MailboxDelta, snapshot: MailboxSnapshot, out: Encoder): Promise<void> {
    for (const context of this.#contexts.values()) {
      const { members, results } = context
      const gone = new Set<number>()
      if (delta.isComplete) {
        const { vanished } = delta
        await this.#each(vanished, ({ uid }) => {
          if (members.has(uid)) gone.add(uid)
        })
      } else
        await this.#each(results, uid => {
          if (snapshot.positionOf(uid) < 0) gone.add(uid)
        })
      if (gone.size > 0) this.#write(context, out, await this.#remove(context, gone))
    }
  }

  /** After EXISTS and FETCH (§4.3.2): messages that have come, and those whose flags matter. */
  async tellChanged(snapshot: MailboxSnapshot, out: Encoder): Promise<void> {
    for (const context of this.#contexts.values()) {
      if (context.modSeq >= snapshot.modSeq) continue
      const scope = await this.#scopeOfChanges(snapshot, context.modSeq)
      context.modSeq = snapshot.modSeq
      if (scope.count === 0) continue
      const found = await findMatches(this.#session, scope, context.criterion)
      const removed = new Set<number>()
      const added: number[] = []
      let next = 0
      await inStretches(scope.count, this.#breathe, (from, to) => {
        for (let index = from; index < to; index++) {
          const uid = scope.uids[index] as number
          const matches = found[next] === index
          if (matches) next++
          if (matches === context.members.has(uid)) continue
          if (matches) added.push(uid)
          else removed.add(uid)
        }
      })
      if (removed.size + added.length === 0) continue
      const text = (await this.#remove(context, removed)) + (await this.#insert(context, added, scope))
      this.#write(context, out, text)
    }
  }

  /** The messages that the client knows and that changed after `modSeq`. */
  async #scopeOfChanges(snapshot: MailboxSnapshot, modSeq: number): Promise<SearchScope> {
    const view = this.#view
    const uids: number[] = []
    const numbers: number[] = []
    await this.#each(snapshot.changedAfter(modSeq as MailboxSnapshot['modSeq']), position => {
      const uid = snapshot.uids.at(position)
      const number = view.numberOf(uid)
      if (number === 0) return
      uids.push(uid)
      numbers.push(number)
    })
    const targets = findTargets(snapshot, { count: uids.length, uids, numbers }, undefined)
    return scopeOf(view, snapshot, targets, this.#session.context.clock.now())
  }

  #write({ correlator, isUid }: Context, out: Encoder, text: string): void {
    out.ascii('* ESEARCH ')
    writeCorrelator(this.#session, correlator)
    out.line(`${isUid ? ' UID' : ''}${text}`)
  }

  #format({ isUid }: Context, uids: readonly number[]): Promise<string> {
    return formatMany(isUid ? uids : uids.map(uid => this.#view.numberOf(uid)), this.#breathe)
  }

  /** Takes `gone` out of the results: ` REMOVEFROM (…)`. */
  async #remove(context: Context, gone: ReadonlySet<number>): Promise<string> {
    if (gone.size === 0) return ''
    const kept: number[] = []
    const runs: Run[] = []
    await this.#each(context.results, uid => {
      if (!gone.has(uid)) {
        kept.push(uid)
        return
      }
      context.members.delete(uid)
      // A run begins where it stands once those before it are away.
      const place = kept.length + 1
      const last = runs.at(-1)
      if (last?.place === place) last.uids.push(uid)
      else runs.push({ place, uids: [uid] })
    })
    context.results = kept
    if (context.sort) return ` REMOVEFROM (${await this.#formatRuns(context, runs)})`
    // In mailbox order no places are needed.
    return ` REMOVEFROM (0 ${await this.#format(
      context,
      runs.flatMap(({ uids }) => uids),
    )})`
  }

  /** Puts `added` (ascending) among the results: ` ADDTO (…)`. */
  async #insert(context: Context, added: readonly number[], scope: SearchScope): Promise<string> {
    if (added.length === 0) return ''
    await this.#each(added, uid => context.members.add(uid))
    const results: number[] = []
    if (!context.sort) {
      let next = 0
      const takeBelow = (uid: number) => {
        while (next < added.length && (added[next] as number) < uid) results.push(added[next++] as number)
      }
      await this.#each(context.results, uid => {
        takeBelow(uid)
        results.push(uid)
      })
      takeBelow(Infinity)
      context.results = results
      return ` ADDTO (0 ${await this.#format(context, added)})`
    }
    const placed = await placeInOrder(
      this.#session,
      scope,
      { criteria: context.sort, comparator: context.comparator },
      context.results,
      added,
    )
    const runs: Run[] = []
    let taken = 0
    for (const { before, uids } of placed) {
      for (; taken < before; taken++) results.push(context.results[taken] as number)
      runs.push({ place: results.length + 1, uids })
      for (const uid of uids) results.push(uid)
    }
    for (; taken < context.results.length; taken++) results.push(context.results[taken] as number)
    context.results = results
    return ` ADDTO (${await this.#formatRuns(context, runs)})`
  }

  async #formatRuns(context: Context, runs: readonly Run[]): Promise<string> {
    const texts: string[] = []
    for (const { place, uids } of runs) texts.push(`${place} ${await this.#format(context, uids)}`)
    return texts.join(' ')
  }

  /** Does `work` with each, and lets others run. */
  #each<Item>(items: readonly Item[], work: (item: Item) => void): Promise<void> {
    return inStretches(items.length, this.#breathe, (from, to) => {
      for (let at = from; at < to; at++) work(items[at] as Item)
    })
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
