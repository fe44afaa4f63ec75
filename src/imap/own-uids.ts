// The UIDs that one session's client knows where no snapshot has them so: expunges are held back, and new mail was told.
import { lowerBound } from '../base/lower-bound.ts'
import type { UidColumn } from '../store/mailbox-snapshot.ts'

export class OwnUids implements UidColumn {
  readonly #uids: Uint32Array

  constructor(uids: Uint32Array) {
    this.#uids = uids
  }

  at(position: number): number {
    const uid = this.#uids[position]
    if (uid === undefined) throw new RangeError('no message at this position')
    return uid
  }

  copy(from: number, to: number, target: Uint32Array | Float64Array, at = 0): void {
    target.set(this.#uids.subarray(from, to), at)
  }

  lowerBound(uid: number, count: number): number {
    return lowerBound(this.#uids, uid, 0, count)
  }

  upTo(count: number): Uint32Array {
    return this.#uids.subarray(0, count)
  }
}
