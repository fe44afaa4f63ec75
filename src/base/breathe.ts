// How work over a whole mailbox lets others run: an event loop must not stand still while one client's messages are gone through.
import type { Awaitable } from './awaitable.ts'

/** Lets others run when this turn has taken long enough. Throws when nobody waits any more. */
export type Breathe = () => Awaitable<void>
