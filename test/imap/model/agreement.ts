// Whether what a client believes is so, and which messages a search finds.
import { violation } from './belief.ts'
import type { ModelClient } from './model-client.ts'
import type { Box } from './truth.ts'
import type { World } from './world.ts'

/** After a command that tells everything: what the client believes is so. */
export function checkAgreement({ truth, isExact }: World, { belief, switches }: ModelClient): void {
  if (!isExact || !belief) return
  const box = truth.byValidity(belief.uidValidity)
  // It is gone, and BYE is on its way.
  if (!box) return
  const uids = [...box.messages.keys()]
  if (uids.length !== belief.count)
    violation(`the client believes in ${belief.count} messages of ${uids.length}`)
  for (const [at, { uid, flags }] of belief.entries.entries()) {
    if (switches.uidOnly && uid === 0) continue
    if (uid !== 0 && !box.messages.has(uid)) violation(`the client believes in UID ${uid}, which is gone`)
    if (uid !== 0 && !switches.uidOnly && uids[at] !== uid)
      violation(`message ${at + 1} is UID ${uids[at]}, the client believes ${uid}`)
    const real = uid === 0 ? (uids[at] as number) : uid
    if (flags !== undefined && flags !== box.flagsOf(real))
      violation(
        `the client believes that UID ${real} has the flags (${flags}), but it has (${box.flagsOf(real)})`,
      )
  }
  for (const [tag, { criterion, members, isUnsure }] of belief.contexts) {
    if (isUnsure) continue
    const wanted = uids.filter(uid => matches(box, uid, criterion))
    const believed = [...members].map(member =>
      typeof member === 'number' ? member : (uids[belief.entries.indexOf(member)] as number),
    )
    if (wanted.join() !== believed.toSorted((a, b) => a - b).join())
      violation(
        `${tag} (${criterion}) is believed to have ${believed.join(' ')}, and has ${wanted.join(' ')}`,
      )
  }
}

export const criteria = ['ALL', 'UNSEEN', 'FLAGGED', 'DELETED', 'KEYWORD k1', 'NOT KEYWORD k1']

export function matches(box: Box, uid: number, criterion: string): boolean {
  const flags = box.messages.get(uid)?.flags ?? new Set()
  switch (criterion) {
    case 'UNSEEN':
      return !flags.has('\\Seen')
    case 'FLAGGED':
      return flags.has('\\Flagged')
    case 'DELETED':
      return flags.has('\\Deleted')
    case 'KEYWORD k1':
      return flags.has('k1')
    case 'NOT KEYWORD k1':
      return !flags.has('k1')
    default:
      return true
  }
}
