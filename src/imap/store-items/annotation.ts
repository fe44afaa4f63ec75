// STORE ANNOTATION. RFC 5257 §4.5; UNCHANGEDSINCE of RFC 7162 §3.1.3.
import { StoreError } from '../../store/error.ts'
import type { MessageAnnotation } from '../../store/message-annotations.ts'
import { rangesOf } from '../../store/uid-ranges.ts'
import { checkSizes, parseAnnotations, tooManyAnnotations } from '../annotation/annotation-list.ts'
import { checkPartsOfEmails } from '../annotation/check-parts.ts'
import { rightsFor } from '../command-rights.ts'
import type { Completion } from '../command.ts'
import { assertWritable, uidRanges } from '../commands/arguments.ts'
import { enableCondstore } from '../condstore.ts'
import { modSeqItem } from '../fetch/items/modseq.ts'
import { uidItem } from '../fetch/items/uid.ts'
import { writeMessages } from '../fetch/write-messages.ts'
import { checkSelected, mutateMailbox } from '../mailbox-access.ts'
import type { Session } from '../session.ts'
import { completeStore } from './complete-store.ts'
import type { StoreItem, StoreRequest } from './store-item.ts'

export const annotationItem: StoreItem = {
  name: 'ANNOTATION',
  isPlain: true,
  parse(parser) {
    const annotations = parseAnnotations(parser)
    return {
      kind: 'run',
      run: (session, request, isUid) => storeAnnotations(session, annotations, request, isUid),
    }
  },
}

async function storeAnnotations(
  session: Session,
  annotations: readonly MessageAnnotation[],
  { set, unchangedSince }: StoreRequest,
  isUid: boolean,
): Promise<Completion> {
  const { view, account: viewer } = session
  assertWritable(view)
  const needed = annotations.some(({ isShared }) => isShared)
    ? rightsFor('STORE ANNOTATION')
    : rightsFor('STORE')
  checkSelected(view.rights, needed)
  checkSizes(annotations)
  if (unchangedSince !== undefined) enableCondstore(session)
  const selection = view.select(set, isUid)
  if (selection.count === 0) return {}
  const { account, id: mailbox } = view.mailbox
  const snapshot = await view.refresh()
  const positions = Array.from(selection.uids, uid => snapshot.positionOf(uid)).filter(at => at >= 0)
  await checkPartsOfEmails(
    session,
    account,
    annotations,
    positions.map(position => snapshot.emailAt(position)),
  )
  const { modSeq, changed, surprising, unmodified } = await annotate(() =>
    mutateMailbox(session, [{ mailbox: view.mailbox, rights: needed.selected ?? 0 }], 'annotateMessages', {
      account,
      mailbox,
      uids: uidRanges(selection.uids),
      viewer,
      annotations,
      knownTo: view.knownFlags,
      ...(unchangedSince !== undefined && { unchangedSince }),
    }),
  )
  if (changed.length > 0) view.silence(modSeq, rangesOf(changed), surprising)
  view.annotations.silence(modSeq)
  await view.refresh()
  // RFC 5257 §4.5: silent, but for the modSeq.
  if (session.has('CONDSTORE'))
    await writeMessages(
      session,
      changed,
      isUid && !session.has('UIDONLY') ? [uidItem, modSeqItem] : [modSeqItem],
    )
  return completeStore(session, unmodified, isUid)
}

/** RFC 5257 §4.5. */
async function annotate<Result>(change: () => Promise<Result>): Promise<Result> {
  try {
    return await change()
  } catch (error) {
    if (error instanceof StoreError && error.code === 'too-many') throw tooManyAnnotations()
    throw error
  }
}
