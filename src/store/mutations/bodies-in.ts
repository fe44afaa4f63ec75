// The bodies that come with a mutation's arguments, for a back-end that brings them to their place before the transaction.
import type { BodyRef } from '../store.ts'

interface Carrier {
  readonly body?: BodyRef | undefined
}

/** In whichever of their places they are: a message, messages, deliveries with the retries of some, bodies alone. */
export function bodiesIn(args: unknown): readonly BodyRef[] {
  const { message, messages, deliveries, retries, bodies } = args as {
    readonly message?: Carrier | number
    readonly messages?: readonly Carrier[]
    readonly deliveries?: readonly Carrier[]
    readonly retries?: readonly { readonly message: Carrier }[]
    readonly bodies?: readonly Carrier[]
  }
  const found: BodyRef[] = []
  const add = (carrier: Carrier) => {
    if (carrier.body) found.push(carrier.body)
  }
  if (typeof message === 'object') add(message)
  for (const list of [messages, deliveries, bodies]) if (Array.isArray(list)) list.forEach(add)
  retries?.forEach(retry => add(retry.message))
  return found
}
