// How long a read may wait for the peer, by what is being read.
//
// A line must be there whole by the deadline, and soon once it has begun. A body (literal, DATA) may take longer than the deadline, as long as bytes go on
// coming and are not fewer, on the whole, than the least throughput: only the time spent waiting for the peer counts, not our own.

/** What a read waits for; 'input' waits for anything and takes nothing. */
export type Wait = 'line' | 'body' | 'input'

export interface ReadPace {
  readonly partialLineMs: number
  readonly minBytesPerSecond: number
  readonly throughputGraceMs: number
}

/** The deadline of one connection's reads. Times are those of `Deadlines.now()`. */
export class ReadDeadline {
  readonly #pace: ReadPace
  #givenMs = Infinity
  #givenAt = Infinity
  /** When the line that has begun must have ended. */
  #lineAt = Infinity
  #wait: Wait | undefined
  #waitStartedAt = 0
  #timeoutAt = Infinity
  #waitedMs = 0
  #receivedBytes = 0

  constructor(pace: ReadPace) {
    this.#pace = pace
  }

  /** The wait that is going on. */
  get wait(): Wait | undefined {
    return this.#wait
  }

  /** The peer has `ms` from `now`; the account of his throughput starts anew. */
  set(now: number, ms: number): void {
    this.#givenMs = ms
    this.#givenAt = now + ms
    this.#lineAt = Infinity
    this.#waitedMs = 0
    this.#receivedBytes = 0
  }

  received(bytes: number): void {
    this.#receivedBytes += bytes
  }

  /** The line that had begun has ended. */
  lineEnded(): void {
    this.#lineAt = Infinity
  }

  /** A wait begins. `hasBegun`: a part of the line is there. `timeoutMs`: how long an 'input' wait is wanted at most. */
  begin(wait: Wait, now: number, hasBegun: boolean, timeoutMs: number): void {
    this.#wait = wait
    this.#waitStartedAt = now
    this.#timeoutAt = now + timeoutMs
    if (wait === 'line' && hasBegun && this.#lineAt === Infinity) {
      this.#lineAt = now + this.#pace.partialLineMs
    }
  }

  end(now: number): void {
    if (this.#wait === 'body') this.#waitedMs += now - this.#waitStartedAt
    this.#wait = undefined
  }

  /** When the wait that is going on has lasted too long. */
  dueAt(): number {
    switch (this.#wait) {
      case undefined:
        return Infinity
      case 'line':
        return Math.min(this.#givenAt, this.#lineAt)
      case 'input':
        return this.#givenAt
      case 'body': {
        const earnedMs = (this.#receivedBytes / this.#pace.minBytesPerSecond) * 1000
        const leftMs = this.#pace.throughputGraceMs + earnedMs - this.#waitedMs
        return this.#waitStartedAt + Math.min(this.#givenMs, leftMs)
      }
    }
  }

  /** When the wait that is going on ends by its own timeout, which is no fault of the peer's. */
  timeoutAt(): number {
    return this.#wait === 'input' ? this.#timeoutAt : Infinity
  }
}
