// REPLACE and UID REPLACE: APPEND and UID EXPUNGE in one step. RFC 8508. EXPUNGE may be sent in answer to both, as to MOVE.
import type { Uid } from '../../base/ids.ts'
import {
  acceptMessageLiteral,
  checkAnnotationRights,
  type AppendedMessage,
  makeMessages,
  parseAppendedMessage,
} from '../append-data.ts'
import { command, type Completion, type LiteralPlace, type ParseContext } from '../command.ts'
import { highestModSeqCode } from '../condstore.ts'
import { bad, no } from '../error.ts'
import type { LiteralHead } from '../input/command-input.ts'
import type { Parser } from '../input/parser.ts'
import { getTarget } from '../mailbox-access.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import type { SequenceSet } from '../sequence-set.ts'
import { syncSelected } from '../news.ts'
import type { Session } from '../session.ts'
import { assertWritable, mailboxName } from './arguments.ts'

interface ReplaceArgs {
  /** One message. */
  readonly set: SequenceSet
  readonly name: string
  readonly message: AppendedMessage
}

export const replace = command({
  name: 'REPLACE',
  state: 'selected',
  uid: 'also',
  reportsProgress: true,
  parse: parseArguments,
  run: replaceMessage,
  acceptLiteral,
})

function parseArguments(parser: Parser, context: ParseContext): ReplaceArgs {
  parser.sp()
  const set = parseOne(parser)
  parser.sp()
  const name = mailboxName(parser, context)
  parser.sp()
  return { set, name, message: parseAppendedMessage(parser) }
}

/** RFC 8508 §6: a number or `*`, not a set. */
function parseOne(parser: Parser): SequenceSet {
  const set = parser.sequenceSet()
  const [range, ...more] = set.kind === 'ranges' ? set.ranges : []
  if (!range || more.length > 0 || range[0] !== range[1]) throw bad('REPLACE takes one message')
  return set
}

async function acceptLiteral(session: Session, parser: Parser, head: LiteralHead): Promise<LiteralPlace> {
  assertWritable(session.view)
  parser.sp()
  parser.sequenceSet()
  parser.sp()
  if (parser.isLiteralNext && !parser.hasLiteral) return 'memory'
  const name = decodeMailboxName(parser.astring(), session.usesUtf8Names)
  return acceptMessageLiteral(session, parser, head, name, 'REPLACE')
}

async function replaceMessage(session: Session, args: ReplaceArgs, isUid: boolean): Promise<Completion> {
  const { view, store } = session
  assertWritable(view)
  const uid = view.select(args.set, isUid).uids[0]
  if (uid === undefined) throw no('NONEXISTENT', 'There is no such message')
  const target = await getTarget(session, args.name, 'REPLACE')
  checkAnnotationRights(target, [args.message])
  const {
    rows: [message],
    discard,
  } = await makeMessages(session, [args.message])
  if (!message) throw new Error('one message in, one message out')
  const { account, id: mailbox } = view.mailbox
  const isOwn = account === session.account && target.account === account
  const change = isOwn
    ? store.mutate('replaceMessage', { account, mailbox, uid, target: target.id, message })
    : store.mutate('replaceAsGuest', {
        guest: session.account,
        source: { account, mailbox },
        uid: uid as Uid,
        target: { account: target.account, mailbox: target.id },
        message,
      })
  const { uidValidity, uids } = await change.finally(discard)
  session.notifications?.ignoreMessages(target, uids)
  // RFC 8508 §3.3: APPENDUID before the EXPUNGE that it explains.
  session.say(`APPENDUID ${uidValidity} ${uids.join(',')}`, 'Replacement is stored')
  await syncSelected(session, view, true)
  return { code: highestModSeqCode(session) }
}
