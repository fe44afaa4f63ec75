// A value that one back-end has at once and another has later; `await` takes both.

export type Awaitable<T> = T | Promise<T>
