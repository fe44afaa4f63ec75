// Episodes of the model: a fresh account, some clients, a list of steps. What goes wrong is made as short as it can be.
import { Random } from '../../../bench/random.ts'
import { startImap } from '../harness.ts'
import { Violation } from './belief.ts'
import { faults } from './faults.ts'
import { ModelClient } from './model-client.ts'
import { checkAgreement } from './agreement.ts'
import { step } from './steps.ts'
import { Truth } from './truth.ts'
import type { World } from './world.ts'

export interface Plan {
  readonly seed: number
  /** Numbers of steps: each step is made of the seed and its number, so that some can be left out. */
  readonly steps: readonly number[]
  readonly clients: number
  /** Clients at once: 1 for one after another, where the model knows what each command means. */
  readonly atOnce: number
  /** Changes lines before the client hears them. */
  readonly fault?: keyof typeof faults | undefined
}

export interface Outcome {
  readonly violation: string | undefined
  readonly transcript: readonly string[]
}

/** Runs one episode on a server of its own. */
export async function runEpisode(plan: Plan): Promise<Outcome> {
  const ends: (() => unknown)[] = []
  const server = await startImap({ after: end => void ends.push(end as () => unknown) })
  const transcript: string[] = []
  const truth = new Truth(server.store, server.account)
  const clients: ModelClient[] = []
  const spoil = plan.fault === undefined ? undefined : faults[plan.fault]?.()
  const connect = async (number: number) => {
    const client = await ModelClient.connect(
      number,
      server.port,
      clients[number]?.caches ?? new Map(),
      transcript,
      spoil,
    )
    await client.command('LOGIN alice@example.test secret')
    clients[number] = client
    return client
  }
  const worldOf = (number: number): World => ({
    truth,
    isExact: plan.atOnce === 1,
    random: new Random(plan.seed + number * 7919),
    label: String(number),
    connect: ({ number: which }) => connect(which),
  })
  try {
    await truth.adoptNames()
    for (let number = 0; number < plan.clients; number++) await connect(number)
    for (const tick of ticksOf(plan)) {
      await Promise.all(
        tick.map(number => {
          const world = worldOf(number)
          const which = plan.atOnce === 1 ? world.random.below(plan.clients) : number % plan.clients
          return step(world, clients[which] as ModelClient)
        }),
      )
      if (plan.atOnce === 1) await truth.compare()
      else await truth.adopt()
    }
    await settle(clients, truth, worldOf(-1))
    return { violation: undefined, transcript }
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return { violation: error.message, transcript }
  } finally {
    for (const client of clients) client.destroy()
    for (const end of ends) await end()
  }
}

/** Steps that are taken at once: of different clients, whichever steps were left out. */
function ticksOf({ steps, atOnce, clients }: Plan): number[][] {
  const ticks: number[][] = []
  for (const number of steps) {
    const last = ticks.at(-1)
    const fits = last && last.length < atOnce && last.every(other => other % clients !== number % clients)
    if (fits) last.push(number)
    else ticks.push([number])
  }
  return ticks
}

/** A quiet point: nobody changes anything, everybody hears everything, and all agree with the store. */
async function settle(clients: readonly ModelClient[], truth: Truth, world: World): Promise<void> {
  await truth.adopt()
  for (const client of clients) {
    if (client.isEnded) continue
    if (client.isIdling && (await client.done()).status === 'BYE') continue
    const { status } = await client.command('NOOP', { mayExpunge: true, mayTellEarlier: false })
    if (status !== 'BYE') checkAgreement({ ...world, isExact: true }, client)
  }
}

/** The fewest steps that still go wrong, as far as they are found within `budgetMs`. */
export async function shrink(
  plan: Plan,
  budgetMs: number,
): Promise<{ readonly plan: Plan; readonly outcome: Outcome }> {
  const until = performance.now() + budgetMs
  let best = plan
  let outcome = await runEpisode(plan)
  // What comes after the failure does not matter: halve from the end first, then leave parts out.
  for (let size = Math.ceil(best.steps.length / 2); size >= 1 && outcome.violation !== undefined; ) {
    let isShorter = false
    for (let from = best.steps.length - size; from > -size && performance.now() < until; from -= size) {
      const start = Math.max(0, from)
      const steps = [...best.steps.slice(0, start), ...best.steps.slice(start + size)]
      const tried = { ...best, steps }
      const result = await runEpisode(tried)
      if (result.violation === undefined) continue
      best = tried
      outcome = result
      isShorter = true
    }
    if (performance.now() >= until) break
    if (!isShorter || size > 1) size = size === 1 ? 0 : Math.floor(size / 2)
  }
  return { plan: best, outcome }
}
