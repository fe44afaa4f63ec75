// What a step of the model has at hand.
import type { Random } from '../../../bench/random.ts'
import { type Belief, violation } from './belief.ts'
import type { ModelClient, Reply } from './model-client.ts'
import type { Box, Truth } from './truth.ts'

export interface World {
  readonly truth: Truth
  /** One client at a time, so that what each command means is known. */
  readonly isExact: boolean
  readonly random: Random
  /** Made of the step's number: subjects are told apart by it. */
  readonly label: string
  /** Where commands are said without waiting for the answers to those before. */
  readonly pipelined?: { savesResult: boolean }
  /** Connects a client anew. */
  connect(client: ModelClient): Promise<ModelClient>
}

export type Step = (world: World, client: ModelClient) => Promise<void>
export type WeightedSteps = readonly (readonly [weight: number, step: Step])[]

/** Commands and answers that speak of message numbers. */
export const numbers = { mayExpunge: false, mayTellEarlier: false }
export const free = { mayExpunge: true, mayTellEarlier: false }
export const names = ['INBOX', 'one', 'two', 'two/below', 'three']

/** One of the steps, by their weights. */
export function pickStep({ random }: World, table: WeightedSteps): Step {
  let dice = random.below(table.reduce((sum, [weight]) => sum + weight, 0))
  for (const [weight, step] of table) {
    dice -= weight
    if (dice < 0) return step
  }
  throw new Error('the weights add up')
}

/** The mailbox that is selected. */
export function boxOf({ truth }: World, client: ModelClient): Box | undefined {
  return truth.byValidity((client.belief as Belief).uidValidity)
}

/** Whether it is OK; what is neither OK nor allowed is a violation. */
export function expectStatus(reply: Reply, command: string, ...allowed: readonly RegExp[]): boolean {
  if (reply.status === 'OK') return true
  // The mailbox that is open may be gone; BYE follows.
  if (reply.tagged.startsWith('NO [NONEXISTENT]')) return false
  if (reply.status === 'BYE' || allowed.some(pattern => pattern.test(reply.tagged))) return false
  return violation(`${command}: ${reply.tagged}`)
}
