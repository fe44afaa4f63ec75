// A value that one back-end has at once and another has later; `await` takes both.

export type Awaitable<T> = T | Promise<T>

/** Like `Promise.all`, without a promise where none of the values is one. */
export function together<const Values extends readonly unknown[]>(
  values: Values,
): Awaitable<{ -readonly [Index in keyof Values]: Awaited<Values[Index]> }> {
  return values.some(value => value instanceof Promise)
    ? Promise.all(values)
    : (values as { -readonly [Index in keyof Values]: Awaited<Values[Index]> })
}
