// A response that was begun and can't be ended.

/** Thrown when what a response has promised (a literal's length, say) can't be kept: only closing the connection is honest then. */
export class BrokenResponse extends Error {
  constructor(cause: unknown) {
    super('a response could not be finished', { cause })
    this.name = 'BrokenResponse'
  }
}
