// FETCH responses about messages that a command or an event has chosen by UID. RFC 9051 §7.5.2.
import type { Session } from '../session.ts'
import type { FetchItem } from './fetch-item.ts'
import { MessageWriter } from './message-writer.ts'
import { findTargets } from './targets.ts'

/** Writes `items` of the messages (ascending UIDs) that the client knows and that are there. */
export async function writeMessages(
  session: Session,
  uids: readonly number[],
  items: readonly FetchItem[],
): Promise<void> {
  const { view } = session
  const numbers = uids.map(uid => view.numberOf(uid))
  const targets = findTargets(view.snapshot, { count: uids.length, uids, numbers }, undefined)
  await new MessageWriter(session, items, undefined).write(targets)
}
