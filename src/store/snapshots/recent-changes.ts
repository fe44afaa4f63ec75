// The last changes of one mailbox, so that a session that is nearly up to date needs no scan and no query.
import { limits } from '../../base/limits.ts'

/** Pairs of UID and modSeq in the order of modSeq, the oldest forgotten first. Neighbours that changed together are one range. */
export class RecentChanges {
  readonly #firsts: number[] = []
  readonly #lasts: number[] = []
  readonly #modSeqs: number[] = []
  #floor: number

  /** Everything that changes after `modSeq` will be told. */
  constructor(modSeq: number) {
    this.#floor = modSeq
  }

  /** The same pairs, to which others can be added. */
  copy(): RecentChanges {
    const copy = new RecentChanges(this.#floor)
    for (let at = 0; at < this.#firsts.length; at++) {
      copy.#firsts.push(this.#firsts[at] as number)
      copy.#lasts.push(this.#lasts[at] as number)
      copy.#modSeqs.push(this.#modSeqs[at] as number)
    }
    return copy
  }

  /** Changes after this modSeq are all here. */
  get floor(): number {
    return this.#floor
  }

  /** Ranges that are held. */
  get count(): number {
    return this.#firsts.length
  }

  /** `modSeq` is not below that of any pair before. */
  add(uid: number, modSeq: number): void {
    const end = this.#lasts.length - 1
    if (this.#modSeqs[end] === modSeq && this.#lasts[end] === uid - 1) {
      this.#lasts[end] = uid
      return
    }
    this.#firsts.push(uid)
    this.#lasts.push(uid)
    this.#modSeqs.push(modSeq)
    if (this.#firsts.length < 2 * limits.store.recentChanges) return
    const dropped = this.#firsts.length - limits.store.recentChanges
    this.#floor = this.#modSeqs[dropped - 1] as number
    for (const column of [this.#firsts, this.#lasts, this.#modSeqs]) column.splice(0, dropped)
  }

  /** How many pairs there are after `modSeq`, which is not below `floor`. */
  countAfter(modSeq: number): number {
    let count = 0
    for (let i = this.#firstAfter(modSeq); i < this.#firsts.length; i++)
      count += (this.#lasts[i] as number) - (this.#firsts[i] as number) + 1
    return count
  }

  /** The pairs after `modSeq`, oldest first; `modSeq` is not below `floor`. */
  *after(modSeq: number): Generator<readonly [uid: number, modSeq: number]> {
    for (let i = this.#firstAfter(modSeq); i < this.#firsts.length; i++) {
      const last = this.#lasts[i] as number
      const changedAt = this.#modSeqs[i] as number
      for (let uid = this.#firsts[i] as number; uid <= last; uid++) yield [uid, changedAt]
    }
  }

  #firstAfter(modSeq: number): number {
    let low = 0
    let high = this.#modSeqs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#modSeqs[middle] as number) <= modSeq) low = middle + 1
      else high = middle
    }
    return low
  }
}
