// One timer for the deadlines of all connections, so that 10,000 idle ones cost 10,000 numbers and not 10,000 timers.

/** One owner's place in `Deadlines`: moved as often as a command is read, at the price of an assignment. */
export class Deadline {
  /** Called once when the time is reached, up to one grain late, never early. */
  readonly onDue: () => void
  /** Due at this value of the clock; Infinity when nothing is awaited. */
  at = Infinity
  /** The grain under which `Deadlines` keeps it, -1 when it does not. */
  grain = -1

  constructor(onDue: () => void) {
    this.onDue = onDue
  }
}

/** Buckets of deadlines, one per grain of time. A deadline that moves to later stays in its bucket until that comes up. */
export class Deadlines {
  readonly #now: () => number
  readonly #grainMs: number
  readonly #buckets = new Map<number, Set<Deadline>>()
  #timer: NodeJS.Timeout | undefined

  /** `now` is a monotonic clock in milliseconds: a change of the wall clock must not end sessions. */
  constructor({
    now = () => performance.now(),
    grainMs = 500,
  }: { now?: () => number; grainMs?: number } = {}) {
    this.#now = now
    this.#grainMs = grainMs
  }

  now(): number {
    return this.#now()
  }

  /** Makes `deadline` due at `at`, in place of any earlier time; Infinity is never. */
  set(deadline: Deadline, at: number): void {
    const grain = at === Infinity ? Infinity : Math.ceil(at / this.#grainMs)
    if (deadline.grain === -1 ? at !== Infinity : grain < deadline.grain) {
      this.remove(deadline)
      this.#add(deadline, grain)
    }
    deadline.at = at
  }

  /** Forgets `deadline` for good: its owner has ended. */
  remove(deadline: Deadline): void {
    deadline.at = Infinity
    if (deadline.grain === -1) return
    const bucket = this.#buckets.get(deadline.grain)
    bucket?.delete(deadline)
    if (bucket?.size === 0) this.#buckets.delete(deadline.grain)
    deadline.grain = -1
    if (this.#buckets.size === 0) this.#stop()
  }

  /** Calls whatever is due. The timer does this; tests with a clock of their own call it. */
  check(): void {
    const now = this.#now()
    const due: Set<Deadline>[] = []
    for (const [grain, bucket] of this.#buckets) {
      if (grain * this.#grainMs > now) continue
      this.#buckets.delete(grain)
      due.push(bucket)
    }
    for (const bucket of due) {
      for (const deadline of bucket) {
        deadline.grain = -1
        if (deadline.at > now) {
          if (deadline.at !== Infinity) this.#add(deadline, Math.ceil(deadline.at / this.#grainMs))
          continue
        }
        deadline.at = Infinity
        deadline.onDue()
      }
    }
    if (this.#buckets.size === 0) this.#stop()
  }

  #add(deadline: Deadline, grain: number): void {
    let bucket = this.#buckets.get(grain)
    if (!bucket) this.#buckets.set(grain, (bucket = new Set()))
    bucket.add(deadline)
    deadline.grain = grain
    this.#timer ??= setInterval(() => this.check(), this.#grainMs).unref()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
