// The steps of the model: what a client may do next.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Belief } from './belief.ts'
import { checkAgreement } from './agreement.ts'
import {
  createMailbox,
  deleteMailbox,
  enable,
  idle,
  leave,
  notify,
  reconnect,
  renameMailbox,
  select,
  selectAndLearn,
  status,
} from './mailbox-steps.ts'
import {
  append,
  changedSince,
  copy,
  expunge,
  fetchBody,
  fetchFlags,
  knowAll,
  learn,
  move,
  noop,
  replace,
  search,
  store,
  uidExpunge,
  updatingSearch,
} from './message-steps.ts'
import type { ModelClient } from './model-client.ts'
import { free, pickStep, type WeightedSteps, type World } from './world.ts'

/** What can be done without a mailbox, and how often. */
const anywhere: WeightedSteps = [
  [8, select],
  [5, append],
  [1, createMailbox],
  [1, deleteMailbox],
  [1, renameMailbox],
  [2, status],
  [1, reconnect],
  [1, enable],
]

const selected: WeightedSteps = [
  [3, select],
  [6, append],
  [1, createMailbox],
  [1, deleteMailbox],
  [1, renameMailbox],
  [2, status],
  [3, reconnect],
  [1, enable],
  [8, learn],
  [8, fetchFlags],
  [4, fetchBody],
  [14, store],
  [5, expunge],
  [3, uidExpunge],
  [4, copy],
  [3, move],
  [3, replace],
  [5, search],
  [6, noop],
  [4, idle],
  [2, leave],
  [2, changedSince],
  [2, updatingSearch],
  [1, notify],
  [14, pipelined],
]

/** What is said without waiting for the answers to what was said before. */
const together: WeightedSteps = [
  [5, append],
  [6, fetchFlags],
  [3, fetchBody],
  [12, store],
  [2, expunge],
  [2, uidExpunge],
  [6, copy],
  [3, move],
  [2, replace],
  [4, search],
  [2, noop],
  [1, status],
  [1, changedSince],
]

/** Takes one step of one client. Throws Violation. */
export async function step(world: World, last: ModelClient): Promise<void> {
  const client = last.isEnded ? await world.connect(last) : last
  if (client.isIdling) {
    const reply = await client.done()
    // The mailbox may be gone.
    if (reply.status === 'BYE') return
    checkAgreement(world, client)
  }
  // What is told between commands may be on its way: with an answer in hand the client has heard it all.
  if (client.notify !== 'none') {
    const { status: told } = await client.command('NOOP', free)
    if (told === 'BYE') return
    checkAgreement(world, client)
  }
  await pickStep(world, client.belief ? selected : anywhere)(world, client)
}

/** Several commands at once (RFC 9051 §5.5). What they mean is what they would mean one after the other. */
async function pipelined(world: World, client: ModelClient): Promise<void> {
  const belief = client.belief as Belief
  // What others have brought is told before, so that it is clear what ranges of UIDs are to take.
  await noop(world, client)
  if (client.belief !== belief || client.isEnded || !(await knowAll(world, client))) return
  const { random, label } = world
  const shared = { savesResult: false }
  const steps = Array.from({ length: 2 + random.below(6) }, (_, at) =>
    pickStep(world, together)({ ...world, label: `${label}.${at}`, pipelined: shared }, client),
  )
  // Those have been said by then.
  if (random.chance(0.15)) steps.push(nextTurn().then(() => selectAndLearn(world, client)))
  await Promise.all(steps)
}
