// Assertions that end unions and guard invariants.

/** Ends a switch over a union: a type error if a case is missing, an exception if bad data came through. */
export function assertNever(value: never): never {
  throw new Error(`unexpected variant: ${JSON.stringify(value)}`)
}

/** Throws when `condition` is false: a bug of ours, never the peer's fault. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
