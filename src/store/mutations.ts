// Every mutation by its name, and the types that follow from the table. Arguments and results cross threads: plain values only.

import type { Tx } from './store.ts'

/** A change as a plain function: no closure, no clock but `tx.nowMs`, no I/O but `tx`. */
export type Mutation<Args, Result> = (tx: Tx, args: Args) => Promise<Result>

/** The table. One file each under `mutations/`. */
export const mutations = {} as const satisfies Record<string, Mutation<never, unknown>>

export type MutationName = keyof typeof mutations
export type MutationArgs<Name extends MutationName> = Parameters<(typeof mutations)[Name]>[1]
export type MutationResult<Name extends MutationName> = Awaited<ReturnType<(typeof mutations)[Name]>>
