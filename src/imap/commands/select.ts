// SELECT and EXAMINE. RFC 9051 §6.3.2, §6.3.3; RFC 3501 §6.3.1; RFC 7162 §3.1.8, §3.2.5; ANNOTATE of RFC 5257 §4.2; RFC 8474 §4.1.
import type { ModSeq } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../../store/error.ts'
import type { MailboxSnapshot } from '../../store/mailbox-snapshot.ts'
import { allRights, rightsOf } from '../../store/rights.ts'
import type { UidRange } from '../../store/uid-ranges.ts'
import { command, type Command, type Completion, type ParseContext } from '../command.ts'
import { deselect } from '../deselect.ts'
import { bad, uidRequired } from '../error.ts'
import { allSystemFlags, permanentFlags } from '../flags.ts'
import type { Parser } from '../input/parser.ts'
import { getVisible, type VisibleMailbox } from '../mailbox-access.ts'
import { MailboxView, openPicture } from '../mailbox-view.ts'
import { mailboxId } from '../object-id.ts'
import type { Session } from '../session.ts'
import { syncStyle } from '../sync-style.ts'
import { mailboxName } from './arguments.ts'
import { type Resynchronization, resynchronize } from './resynchronize.ts'

interface SelectArgs {
  readonly name: string
  readonly condstore: boolean
  /** RFC 5257 §4.2. */
  readonly annotate: boolean
  readonly resync: Resynchronization | undefined
}

export const select = makeSelect('SELECT')
export const examine = makeSelect('EXAMINE')

function makeSelect(name: 'SELECT' | 'EXAMINE'): Command {
  return command({
    name,
    state: 'authenticated',
    reportsProgress: true,
    parse: parseArguments,
    run: (session, args) => open(session, args, session.identity.isAnonymous ? 'EXAMINE' : name),
  })
}

function parseArguments(parser: Parser, context: ParseContext): SelectArgs {
  parser.sp()
  const name = mailboxName(parser, context)
  let condstore = false
  let annotate = false
  let resync: Resynchronization | undefined
  if (parser.moreAfterSpace()) {
    parser.list(() => {
      const parameter = parser.keyword()
      if (parameter === 'CONDSTORE') condstore = true
      else if (parameter === 'ANNOTATE') annotate = true
      else if (parameter === 'QRESYNC') resync = parseResync(parser)
      else throw bad(`there is no parameter ${parameter}`)
    })
  }
  // RFC 7162 §3.2.5: the client must have enabled it.
  if (resync && !context.session.has('QRESYNC')) throw bad('ENABLE QRESYNC first')
  if (resync?.match && context.session.has('UIDONLY')) throw uidRequired()
  return { name, condstore, annotate, resync }
}

/** `(uidvalidity modseq [known-uids] [(numbers uids)])`. */
function parseResync(parser: Parser): Resynchronization {
  parser.sp()
  parser.expect('(')
  const uidValidity = parser.nzNumber()
  parser.sp()
  const modSeq = parser.number64()
  if (modSeq === 0) throw bad('a modSeq of 0 is not allowed here')
  let knownUids: readonly UidRange[] | undefined
  let match: Resynchronization['match']
  while (parser.moreAfterSpace()) {
    if (!parser.isListNext) {
      if (knownUids || match) throw bad('known UIDs come once, before the list of matches')
      knownUids = parser.uidSet()
      continue
    }
    if (match) throw bad('one list of matches')
    parser.expect('(')
    const numbers = parser.uidSet()
    parser.sp()
    const uids = parser.uidSet()
    parser.expect(')')
    match = { numbers, uids }
  }
  parser.expect(')')
  return { uidValidity, modSeq: modSeq as ModSeq, knownUids, match }
}

async function open(session: Session, args: SelectArgs, command: 'SELECT' | 'EXAMINE'): Promise<Completion> {
  const { store } = session
  const isReadOnly = command === 'EXAMINE'
  // A SELECT that fails leaves nothing selected (RFC 9051 §6.3.2), and what follows is about another mailbox (RFC 7162 §3.2.11).
  if (session.state.kind === 'selected') {
    await deselect(session)
    session.say('CLOSED', 'The mailbox before is closed')
  }
  if (args.condstore || args.resync) session.switchOn('CONDSTORE')
  const row = await getVisible(session, args.name, command)
  const { account, id, name } = row
  const picture = await openPicture(store, row, session.account, row.modSeq)
  const { snapshot } = picture
  const isNothingRecent = snapshot.uidNext <= row.recentUid
  const firstRecentUid = picture.guest
    ? noneRecent
    : isReadOnly || isNothingRecent
      ? row.recentUid
      : await claimRecent(session, row)
  const view = new MailboxView(store, { account, id, name }, picture, {
    isReadOnly,
    firstRecentUid,
    tellsAnnotations: args.annotate,
  })
  session.state = { kind: 'selected', identity: session.identity, view }
  describe(session, view, snapshot)
  if (args.resync) await resynchronize(session, view, args.resync)
  // RFC 4314 §5.2: a guest who may change nothing that others see is told so; his \Seen he may change even then.
  const changesNothing = isReadOnly || (view.rights & changingRights) === 0
  return {
    code: changesNothing ? 'READ-ONLY' : 'READ-WRITE',
    text: isReadOnly ? 'Opened for reading' : 'Opened',
    isUpToDate: true,
  }
}

const changingRights = rightsOf('iewtn')

/** What is \Recent is between the owner's sessions. */
const noneRecent = Infinity

/** Where what is recent in this session begins. */
async function claimRecent({ store }: Session, row: VisibleMailbox): Promise<number> {
  try {
    return (await store.mutate('claimRecent', { account: row.account, mailbox: row.id })).firstRecentUid
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'disk-full')) throw error
    // A full disk keeps nobody from reading; what may be recent in a later session too is recent (RFC 3501 §2.3.2).
    return row.recentUid
  }
}

/** What SELECT must say about the mailbox. */
function describe(session: Session, view: MailboxView, snapshot: MailboxSnapshot): void {
  const { out } = session
  const { firstUnseen, keywords } = snapshot
  const isRev2 = session.has('IMAP4REV2')
  view.knowKeywords(keywords)
  const flags = [allSystemFlags, ...keywords].join(' ')
  out.line(`* FLAGS (${flags})`)
  if (view.isReadOnly) session.say('PERMANENTFLAGS ()', 'Nothing can be changed')
  else {
    const text = view.rights === allRights ? 'All of it can be changed' : 'These can be changed'
    session.say(`PERMANENTFLAGS (${permanentFlags(view.rights, keywords)})`, text)
  }
  out.line(`* ${snapshot.count} EXISTS`)
  if (syncStyle(session).recent) out.line(`* ${view.recentCount} RECENT`)
  // IMAP4rev2 has no UNSEEN here (RFC 9051 appendix E).
  if (firstUnseen >= 0 && !isRev2 && !session.has('UIDONLY'))
    session.say(`UNSEEN ${firstUnseen + 1}`, 'The first that is not seen')
  session.say(`UIDVALIDITY ${snapshot.uidValidity}`, 'UIDs are valid')
  session.say(`UIDNEXT ${snapshot.uidNext}`, 'The next UID')
  session.say(`HIGHESTMODSEQ ${snapshot.modSeq}`, 'The state of the mailbox')
  // RFC 5257 §4.1.
  const annotations = view.isReadOnly ? 'READ-ONLY' : String(limits.annotation.valueBytes)
  session.say(`ANNOTATIONS ${annotations}`, 'Annotations of messages')
  session.say(`MAILBOXID (${mailboxId(view.mailbox.id, view.foreignOwner)})`, 'The mailbox itself')
  if (!isRev2) return
  out.ascii('* LIST () "/" ')
  session.writeMailbox(view.mailbox.name)
  out.crlf()
}
