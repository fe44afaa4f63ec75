// How relevant each found message is to a fuzzy search. RFC 6203 §4.
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { limits } from '../../base/limits.ts'
import { breatheIn } from '../breaths.ts'
import { findMatches } from './evaluate.ts'
import { part } from './limit-scope.ts'
import type { Session } from '../session.ts'
import type { Criterion, FuzzyKey, SearchKey } from './search-key.ts'
import { emailsOf, type SearchScope } from './search-scope.ts'

/** Scores from 1 to 100 by index in the scope, for `matches`: the mean of how near a message comes to each fuzzy key, spread over the whole range. */
export async function relevancyOf(
  session: Session,
  scope: SearchScope,
  criterion: Criterion,
  matches: Uint32Array,
): Promise<Uint8Array> {
  const sums = new Float64Array(scope.count)
  const breathe = () => breatheIn(session)
  for (const key of scoredKeys(criterion).slice(0, limits.search.scoredKeys)) {
    const scores = await scoresOf(session, scope, key, matches)
    await inStretches(matches.length, breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const index = matches[at] as number
        sums[index] = (sums[index] as number) + (scores[index] as number)
      }
    })
  }
  return spread(sums, matches, breathe)
}

/** Keys whose nearness counts: not those that must not match. */
function scoredKeys(criterion: Criterion): readonly FuzzyKey[] {
  if (criterion.kind === 'key') return isScored(criterion) ? [criterion] : []
  return criterion.kind === 'not' ? [] : criterion.of.flatMap(scoredKeys)
}

function isScored(key: SearchKey): key is FuzzyKey {
  return 'recording' in key
}

/** How near each message comes to one key: by the index, and where that does not know by a look at the message. */
async function scoresOf(
  session: Session,
  scope: SearchScope,
  key: FuzzyKey,
  matches: Uint32Array,
): Promise<Float64Array> {
  const { searchIndex } = session.store
  const { account } = scope.view.mailbox
  const breathe = () => breatheIn(session)
  const emails = await emailsOf(scope, matches, breathe)
  const found = await searchIndex.scores(account, key.lookup, emails, breathe)
  const scores = new Float64Array(scope.count)
  const unknown: number[] = []
  await inStretches(matches.length, breathe, (from, to) => {
    for (let place = from; place < to; place++) {
      const index = matches[place] as number
      const score = found[place] as number
      if (Number.isNaN(score)) unknown.push(index)
      else scores[index] = score
    }
  })
  if (unknown.length === 0) return scores
  const record = (place: number, score: number) => {
    scores[unknown[place] as number] = score
  }
  await findMatches(session, part(scope, unknown), key.recording(record))
  return scores
}

/** RFC 6203 §4: the scores use the full range. */
async function spread(sums: Float64Array, matches: Uint32Array, breathe: Breathe): Promise<Uint8Array> {
  let least = Infinity
  let most = 0
  await inStretches(matches.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      const sum = sums[matches[at] as number] as number
      least = Math.min(least, sum)
      most = Math.max(most, sum)
    }
  })
  const scores = new Uint8Array(sums.length)
  await inStretches(matches.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      const index = matches[at] as number
      const sum = sums[index] as number
      scores[index] = most === least ? 100 : 1 + Math.round((99 * (sum - least)) / (most - least))
    }
  })
  return scores
}
