// STORE and UID STORE. RFC 9051 §6.4.6; UNCHANGEDSINCE of RFC 7162 §3.1.3.
import { inStretches } from '../../base/breathe.ts'
import type { ModSeq } from '../../base/ids.ts'
import type { FlagSet } from '../../store/flags.ts'
import { isAmong } from '../../store/uid-ranges.ts'
import { breatheWriting } from '../breaths.ts'
import { beginFlagChange, finishFlagChange, type FlagsChanged } from '../change-flags.ts'
import { rightsFor } from '../command-rights.ts'
import { afterChange, type Answer, command, type Completion, type ParseContext } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import { bad, no } from '../error.ts'
import { parseFlags } from '../flags.ts'
import type { Parser } from '../input/parser.ts'
import { checkSelected } from '../mailbox-access.ts'
import { limitMessages, saidToBeLimited, withMessageLimit } from '../message-limit.ts'
import type { Selection } from '../mailbox-view.ts'
import type { Session } from '../session.ts'
import { annotationItem } from '../store-items/annotation.ts'
import { completeStore } from '../store-items/complete-store.ts'
import { gmailLabels } from '../store-items/gmail-labels.ts'
import type { StoreAction, StoreItem, StoreRequest } from '../store-items/store-item.ts'
import { syncStyle } from '../sync-style.ts'
import { assertWritable, uidRanges } from './arguments.ts'

interface StoreArgs extends StoreRequest {
  readonly action: StoreAction
}

const flagsItem: StoreItem = {
  name: 'FLAGS',
  parse(parser) {
    const flags = parseFlags(flagNames(parser))
    return {
      kind: 'begin',
      begin: (session, request, isUid) => beginStore(session, { ...request, flags }, isUid),
    }
  },
}

export const storeItems: readonly StoreItem[] = [flagsItem, gmailLabels, annotationItem]

const byName = new Map(storeItems.map(item => [item.name, item]))

export const store = command({
  name: 'STORE',
  state: 'selected',
  uid: 'also',
  sequence: 'uses',
  reportsProgress: true,
  parse: parseArguments,
  canBegin: ({ action }) => action.kind === 'begin',
  isAmbiguous: ({ view }, { set }, isUid) => view.reachesNew(set, isUid),
  begin(session, args, isUid) {
    if (args.action.kind !== 'begin') throw new Error('what cannot begin is run')
    const limited = limitMessages(session, args.set, isUid)
    const answer = args.action.begin(session, { ...args, set: limited.set }, isUid)
    return () => saidToBeLimited(session, limited, async () => (await answer()) ?? {})
  },
  run(session, args, isUid) {
    const { action } = args
    if (action.kind !== 'run') throw new Error('what can begin is begun')
    return withMessageLimit(session, args.set, isUid, set => action.run(session, { ...args, set }, isUid))
  },
})

function parseArguments(parser: Parser, context: ParseContext): StoreArgs {
  parser.sp()
  const set = parser.sequenceSet()
  parser.sp()
  const unchangedSince = parser.isListNext ? parseModifiers(parser) : undefined
  const mode = parser.take('+') ? 'add' : parser.take('-') ? 'remove' : 'replace'
  const item = parser.itemName()
  const isSilent = item.endsWith('.SILENT')
  const definition = byName.get(isSilent ? item.slice(0, -7) : item)
  if (!definition) throw bad('there is nothing of that name to store')
  if (definition.isPlain && (mode !== 'replace' || isSilent)) throw bad(`${definition.name} stands by itself`)
  parser.sp()
  return { set, mode, isSilent, unchangedSince, action: definition.parse(parser, context) }
}

function parseModifiers(parser: Parser): ModSeq | undefined {
  let unchangedSince: ModSeq | undefined
  parser.list(() => {
    const modifier = parser.keyword()
    if (modifier !== 'UNCHANGEDSINCE' || unchangedSince !== undefined)
      throw bad(`${modifier} is not for STORE`)
    parser.sp()
    unchangedSince = parser.number64() as ModSeq
  })
  parser.sp()
  return unchangedSince
}

/** A list, or flags one after another without parentheses. */
function flagNames(parser: Parser): string[] {
  if (parser.isListNext) return parser.list(() => parser.flag())
  const names = [parser.flag()]
  while (parser.moreAfterSpace()) names.push(parser.flag())
  return names
}

function beginStore(
  session: Session,
  args: StoreRequest & { readonly flags: FlagSet },
  isUid: boolean,
): Answer {
  const { view } = session
  assertWritable(view)
  checkSelected(view.rights, rightsFor('STORE FLAGS'))
  const selection = view.select(args.set, isUid)
  if (selection.count === 0) {
    return () => {
      useCondstore(session, args)
    }
  }
  const change = beginFlagChange(session, {
    uids: uidRanges(selection.uids),
    mode: args.mode,
    flags: args.flags,
    ...(args.unchangedSince !== undefined && { unchangedSince: args.unchangedSince }),
  })
  return afterChange(change, stored => {
    useCondstore(session, args)
    return finishStore(session, selection, args, isUid, stored)
  })
}

/** UNCHANGEDSINCE switches CONDSTORE on (RFC 7162 §3.1). */
function useCondstore(session: Session, { unchangedSince }: StoreRequest): void {
  if (unchangedSince !== undefined) enableCondstore(session)
}

async function finishStore(
  session: Session,
  selection: Selection,
  { isSilent }: StoreRequest,
  isUid: boolean,
  stored: FlagsChanged,
): Promise<Completion> {
  const { unmodified } = stored
  await finishFlagChange(session, stored, isSilent)
  const isGone = await answer(session, selection, stored, isSilent, isUid)
  if (isGone && !isUid) throw no('EXPUNGEISSUED', 'Some of the messages are gone')
  // A UID that is gone is no error (RFC 9051 §6.4.9), and the EXPUNGE is told in the same answer.
  if (unmodified.length === 0)
    return isGone ? { code: 'EXPUNGEISSUED', text: 'Some of the messages are gone' } : {}
  return completeStore(session, unmodified, isUid)
}

/** Writes FETCH for each message that took the change; says whether some were expunged meanwhile. */
async function answer(
  session: Session,
  selection: Selection,
  { changed, modSeq: changedAt, unmodified }: FlagsChanged,
  isSilent: boolean,
  isUid: boolean,
): Promise<boolean> {
  const { out, view } = session
  const style = syncStyle(session)
  // Once CONDSTORE is on the client learns the new modSeq even so (RFC 7162 §3.1.3).
  const tellsModSeq = isSilent && style.modSeq
  if (isSilent && !tellsModSeq && view.knowsSnapshot) return false
  const { snapshot } = view
  const { flags, modSeqs } = snapshot
  let refused = 0
  let isGone = false
  await inStretches(
    selection.count,
    () => breatheWriting(session),
    (from, to) => {
      for (let at = from; at < to; at++) {
        const uid = selection.uids[at] as number
        const position = snapshot.positionOf(uid)
        if (position < 0) {
          isGone = true
          continue
        }
        // Both ascend.
        while ((unmodified[refused] ?? Infinity) < uid) refused++
        if (unmodified[refused] === uid) continue
        const number = selection.numbers[at] as number
        const modSeq = modSeqs.at(position)
        const isChanged = !isSilent || (tellsModSeq && isAmong(changed, uid))
        if (!isChanged) continue
        // What has changed again since has flags that the client can't know.
        if (!isSilent || modSeq !== changedAt)
          view.tellFlagsOf(number, uid, flags.at(position), modSeq, out, style, isUid)
        else {
          const uidItem = isUid || style.vanished ? `UID ${uid} ` : ''
          if (style.uidOnly) out.line(`* ${uid} UIDFETCH (MODSEQ (${modSeq}))`)
          else out.line(`* ${number} FETCH (${uidItem}MODSEQ (${modSeq}))`)
        }
      }
    },
  )
  return isGone
}
