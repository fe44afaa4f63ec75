// The messages that a SEARCH looks at, and what is at hand of them.
import type { Breathe } from '../../base/breathe.ts'
import type { EmailId } from '../../base/ids.ts'
import type { NumberColumn } from '../../store/read/email-columns.ts'
import type { MailboxSnapshot } from '../../store/mailbox-snapshot.ts'
import { allTargets, findTargets, type Targets } from '../fetch/targets.ts'
import { pickValues } from '../column-values.ts'
import type { MailboxView } from '../mailbox-view.ts'
import type { ImapContext } from '../session.ts'

/** Messages that the client knows and that are there, by index from 0, ascending. The snapshot's columns, of which a key asks for those that it reads, are read at `positions[index]`. */
export interface SearchScope extends Targets {
  readonly view: MailboxView
  readonly snapshot: MailboxSnapshot
  /** By index; NaN where there is none, and where no key has to know. */
  readonly columns: ReadonlyMap<NumberColumn, Float64Array>
  /** When the command began, milliseconds since 1970. */
  readonly nowMs: number
}

/** All that the client sees of a mailbox, up to date. */
export async function openScope(
  view: MailboxView,
  { ascending, clock }: Pick<ImapContext, 'ascending' | 'clock'>,
): Promise<SearchScope> {
  const nowMs = clock.now()
  const snapshot = await view.refresh()
  const targets = view.knowsSnapshot
    ? allTargets(snapshot, ascending)
    : findTargets(snapshot, view.selectAll(), undefined)
  return scopeOf(view, snapshot, targets, nowMs)
}

/** Some messages of a snapshot. */
export function scopeOf(
  view: MailboxView,
  snapshot: MailboxSnapshot,
  targets: Targets,
  nowMs: number,
): SearchScope {
  return { ...targets, view, snapshot, columns: new Map<NumberColumn, Float64Array>(), nowMs }
}

export function emailOf(scope: SearchScope, index: number): EmailId {
  return scope.snapshot.emails.at(scope.positions[index] as number) as EmailId
}

/** The emails of some messages, by indexes that ascend. Not to be written to. */
export async function emailsOf(
  { positions, snapshot }: SearchScope,
  indexes: Uint32Array,
  breathe: Breathe,
): Promise<Float64Array> {
  if (indexes.length === snapshot.count) return snapshot.emails.upTo(snapshot.count, breathe)
  return pickValues(snapshot.emails, positions, indexes, breathe)
}
