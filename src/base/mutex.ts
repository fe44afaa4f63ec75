// One at a time, in the order of asking.

/** Runs asynchronous sections one after another. */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve()

  /** Runs `section` when all earlier ones have ended, and gives its result or its error. */
  run<T>(section: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(section)
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }
}
