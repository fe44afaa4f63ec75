// Memory for what has to be held whole for a moment: so many bytes at once, the others wait in the order of asking.

interface Waiting {
  readonly bytes: number
  readonly start: () => void
}

export class ByteBudget {
  readonly #maxBytes: number
  readonly #waiting: Waiting[] = []
  #usedBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Runs `work` when there is room for its `bytes`; something larger than all the room has it for itself. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes)) {
      await new Promise<void>(start => {
        this.#waiting.push({ bytes, start })
      })
    } else this.#usedBytes += bytes
    try {
      return await work()
    } finally {
      this.#usedBytes -= bytes
      this.#startNext()
    }
  }

  #hasRoom(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#maxBytes
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next && this.#hasRoom(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#usedBytes += next.bytes
      next.start()
    }
  }
}
