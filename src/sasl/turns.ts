// So many at once, the others in the order of asking, and no endless queue.

/** Thrown to who asks when the queue is full: a temporary refusal. */
export class QueueFull extends Error {
  readonly code = 'QueueFull'

  constructor() {
    super('too many are waiting')
    this.name = 'QueueFull'
  }
}

export class Turns {
  readonly #atOnce: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atOnce: number, maxWaiting: number) {
    this.#atOnce = atOnce
    this.#maxWaiting = maxWaiting
  }

  /** Runs `work` when it is its turn. Throws QueueFull. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= this.#maxWaiting) throw new QueueFull()
      // Who ends hands his place on, so that nobody comes between.
      await new Promise<void>(resolve => {
        this.#waiting.push(resolve)
      })
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
