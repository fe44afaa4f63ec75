// Which messages a command names, when it is said and when its turn comes.
import { type Belief, type Entry, parseSet } from './belief.ts'
import type { ModelClient } from './model-client.ts'
import type { Box } from './truth.ts'
import { boxOf, free, numbers, type World } from './world.ts'

/** Some messages, as the client names them. */
export interface Chosen {
  readonly text: string
  readonly isUid: boolean
}

/** One of the messages that are meant and there. */
export interface Target {
  readonly uid: number
  readonly number: number
}

/** What a command finds when all before it have been answered. */
export interface Sight {
  readonly belief: Belief
  readonly box: Box | undefined
  /** What the client takes for meant. */
  readonly entries: readonly Entry[]
  /** Their flags, as he believes. */
  readonly flags: ReadonlyMap<Entry, string | undefined>
  /** What is meant and there. */
  readonly there: readonly Target[]
  /** A message number is too high by now. */
  readonly isBeyond: boolean
}

export const moment = ({ isUid }: Chosen) => (isUid ? free : numbers)
export const prefix = ({ isUid }: Chosen) => (isUid ? 'UID ' : '')

/** Whether a command has to name messages by UID now. RFC 9051 §5.5 says so behind commands that may tell of an EXPUNGE; some clients do not know. */
export function mustUseUids({ random }: World, client: ModelClient): boolean {
  if (client.switches.uidOnly || client.notify === 'selected') return true
  return !client.keepsNumbers && random.chance(0.9)
}

/** Some messages, in a form that the client may use now. Undefined where there are none that it could name. */
export function choose(world: World, client: ModelClient): Chosen | undefined {
  const { random, pipelined } = world
  const belief = client.belief as Belief
  if (belief.count === 0) return undefined
  const isUid = mustUseUids(world, client) || random.chance(0.5)
  // RFC 5182 §2.1: also while the SEARCH that saves is not answered.
  const hasSaved = belief.saved.size > 0 || pipelined?.savesResult === true
  if (hasSaved && random.chance(pipelined ? 0.3 : 0.15)) return { text: '$', isUid }
  // Within a range of UIDs there may be some that the client has not heard: they are not to be guessed at.
  if (isUid && belief.entries.some(({ uid }) => uid === 0)) return undefined
  if (random.chance(pipelined ? 0.25 : 0.1)) return { text: '1:*', isUid }
  const parts: string[] = []
  for (let left = 1 + random.below(3); left > 0; left--) {
    const from = random.below(belief.count)
    const to = random.chance(0.5) ? from : random.below(belief.count)
    const ends = [from, to].map(at => (isUid ? belief.entries[at]?.uid : at + 1))
    parts.push(from === to ? `${ends[0]}` : `${ends[0]}:${ends[1]}`)
  }
  return { text: parts.join(','), isUid }
}

/** What the command means, at its turn. */
export function look(world: World, client: ModelClient, { text, isUid }: Chosen): Sight {
  const { isExact, pipelined } = world
  const belief = client.belief as Belief
  const box = boxOf(world, client)
  const uids = [...(box?.messages.keys() ?? [])]
  const named = text === '1:*' || text === '$' ? undefined : new Set(parseSet(text))
  // Messages that are new are told without their UIDs.
  const known = belief.entries.map((entry, at) => ({
    entry,
    uid: entry.uid || (isExact ? (uids[at] ?? 0) : 0),
    number: at + 1,
  }))
  const meant = known.filter(({ entry, uid, number }) =>
    text === '$' ? belief.saved.has(entry) : (named?.has(isUid ? uid : number) ?? true),
  )
  // What commands before have brought is there, whether or not it was told yet (RFC 9051 §5.5).
  const untold = uids
    .map((uid, at) => ({ uid, number: at + 1 }))
    .filter(({ uid }) => known.every(one => one.uid !== uid) && (named?.has(uid) ?? true))
  const takesUntold = isExact && pipelined !== undefined && isUid && text !== '$'
  return {
    belief,
    box,
    entries: meant.map(({ entry }) => entry),
    flags: new Map(meant.map(({ entry }) => [entry, entry.flags])),
    there: [...meant.filter(({ uid }) => box?.messages.has(uid)), ...(takesUntold ? untold : [])],
    isBeyond: !isUid && text !== '$' && (belief.count === 0 || Math.max(...(named ?? [])) > belief.count),
  }
}
