// Branded primitives: a number or string that only one maker may produce.

declare const brand: unique symbol

/** A `T` that carries the name of its kind at compile time only. Cast to it (`as AccountId`) only where data enters. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
