// The last changes of one mailbox, so that a session that is nearly up to date needs no scan and no query.
import { limits } from '../../base/limits.ts'

/** Pairs of UID and modSeq in the order of modSeq, the oldest forgotten first. */
export class RecentChanges {
  #uids: number[] = []
  #modSeqs: number[] = []
  #floor: number

  /** Everything that changes after `modSeq` will be told. */
  constructor(modSeq: number) {
    this.#floor = modSeq
  }

  /** Changes after this modSeq are all here. */
  get floor(): number {
    return this.#floor
  }

  /** Pairs that are held. */
  get count(): number {
    return this.#uids.length
  }

  /** `modSeq` is not below that of any pair before. */
  add(uid: number, modSeq: number): void {
    this.#uids.push(uid)
    this.#modSeqs.push(modSeq)
    if (this.#uids.length < 2 * limits.store.recentChanges) return
    const dropped = this.#uids.length - limits.store.recentChanges
    this.#floor = this.#modSeqs[dropped - 1] as number
    this.#uids.splice(0, dropped)
    this.#modSeqs.splice(0, dropped)
  }

  /** The pairs after `modSeq`, oldest first; `modSeq` is not below `floor`. */
  *after(modSeq: number): Generator<readonly [uid: number, modSeq: number]> {
    let low = 0
    let high = this.#modSeqs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#modSeqs[middle] as number) <= modSeq) low = middle + 1
      else high = middle
    }
    for (let i = low; i < this.#uids.length; i++) yield [this.#uids[i] as number, this.#modSeqs[i] as number]
  }
}
