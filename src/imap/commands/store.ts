// STORE and UID STORE. RFC 9051 §6.4.6; UNCHANGEDSINCE of RFC 7162 §3.1.3.
import type { ModSeq } from '../../base/ids.ts'
import type { FlagSet } from '../../store/flags.ts'
import { command, type Completion, type ParseContext } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import { bad, no } from '../error.ts'
import { parseFlags } from '../flags.ts'
import type { Parser } from '../input/parser.ts'
import { withMessageLimit } from '../message-limit.ts'
import type { MailboxView, Selection } from '../mailbox-view.ts'
import type { Session } from '../session.ts'
import { annotationItem } from '../store-items/annotation.ts'
import { completeStore } from '../store-items/complete-store.ts'
import { gmailLabels } from '../store-items/gmail-labels.ts'
import type { StoreAction, StoreItem, StoreRequest } from '../store-items/store-item.ts'
import { syncStyle } from '../sync-style.ts'
import { assertWritable, uidRanges } from './arguments.ts'

interface StoreArgs extends StoreRequest {
  readonly run: StoreAction
}

const flagsItem: StoreItem = {
  name: 'FLAGS',
  parse(parser) {
    const flags = parseFlags(flagNames(parser))
    return (session, request, isUid) => storeFlags(session, { ...request, flags }, isUid)
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
  run: (session, args, isUid) =>
    withMessageLimit(session, args.set, isUid, set => args.run(session, { ...args, set }, isUid)),
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
  return { set, mode, isSilent, unchangedSince, run: definition.parse(parser, context) }
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

async function storeFlags(
  session: Session,
  args: StoreRequest & { readonly flags: FlagSet },
  isUid: boolean,
): Promise<Completion> {
  const { view } = session
  assertWritable(view)
  if (args.unchangedSince !== undefined) enableCondstore(session)
  const selection = view.select(args.set, isUid)
  if (selection.count === 0) return {}
  const { account, id: mailbox } = view.mailbox
  const { modSeq, changed, unmodified } = await session.store.mutate('storeFlags', {
    account,
    mailbox,
    uids: uidRanges(selection.uids),
    mode: args.mode,
    flags: args.flags,
    ...(args.unchangedSince !== undefined && { unchangedSince: args.unchangedSince }),
  })
  view.silence(
    changed.map(({ uid }) => uid),
    modSeq,
  )
  await view.refresh()
  const isGone = answer(session, view, selection, new Set<number>(unmodified), args.isSilent, isUid, changed)
  if (isGone && !isUid) throw no('EXPUNGEISSUED', 'Some of the messages are gone')
  // A UID that is gone is no error (RFC 9051 §6.4.9), and the EXPUNGE is told in the same answer.
  if (unmodified.length === 0)
    return isGone ? { code: 'EXPUNGEISSUED', text: 'Some of the messages are gone' } : {}
  return completeStore(view, unmodified, isUid)
}

/** Writes FETCH for each message that took the change; says whether some were expunged meanwhile. */
function answer(
  session: Session,
  view: MailboxView,
  selection: Selection,
  refused: ReadonlySet<number>,
  isSilent: boolean,
  isUid: boolean,
  changed: readonly { readonly uid: number }[],
): boolean {
  const { out } = session
  const style = syncStyle(session)
  const { snapshot } = view
  const changedUids = isSilent && style.modSeq ? new Set(changed.map(({ uid }) => uid)) : undefined
  let isGone = false
  for (let at = 0; at < selection.count; at++) {
    const uid = selection.uids[at] as number
    const position = snapshot.positionOf(uid)
    if (position < 0) {
      isGone = true
      continue
    }
    if (refused.has(uid)) continue
    const number = selection.numbers[at] as number
    const modSeq = snapshot.modSeqs[position] as number
    if (!isSilent)
      view.tellFlagsOf(number, uid, snapshot.flags[position] as number, modSeq, out, style, isUid)
    // Once CONDSTORE is on the client learns the new modSeq even so (RFC 7162 §3.1.3).
    else if (changedUids?.has(uid)) {
      const uidItem = isUid || style.vanished ? `UID ${uid} ` : ''
      if (style.uidOnly) out.line(`* ${uid} UIDFETCH (MODSEQ (${modSeq}))`)
      else out.line(`* ${number} FETCH (${uidItem}MODSEQ (${modSeq}))`)
    }
  }
  return isGone
}
