// How long to wait before something that died is started again.

const firstMs = 100
const maxMs = 30_000
/** Something that lived this long is not in a crash loop. */
const steadyMs = 60_000

export class BackOff {
  #delayMs = 0
  #startedAt = 0

  /** Says that it starts, at `nowMs`. */
  started(nowMs: number): void {
    this.#startedAt = nowMs
  }

  /** It died at `nowMs`: the delay before the next start, doubling with each early death. */
  died(nowMs: number): number {
    if (nowMs - this.#startedAt >= steadyMs) this.#delayMs = 0
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(maxMs, Math.max(firstMs, this.#delayMs * 2))
    return delayMs
  }
}
