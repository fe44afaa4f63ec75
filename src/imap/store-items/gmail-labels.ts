// STORE X-GM-LABELS. X-GM-EXT-1 (https://developers.google.com/gmail/imap/imap-extensions), from knowledge of it.
//
// A label is a mailbox that holds the email: adding one copies the message there, removing one takes all copies out of it. What would be in no
// mailbox any more goes to the archive, so that nothing is lost; \Trash and \Spam, when added, take it out of all others.
import type { MailboxId } from '../../base/ids.ts'
import { StoreError } from '../../store/error.ts'
import type { FlagSet } from '../../store/flags.ts'
import { findMailbox, listMailboxes, type Mailbox } from '../../store/read/mailboxes.ts'
import type { Completion } from '../command.ts'
import { assertWritable, uidRanges } from '../commands/arguments.ts'
import { enableCondstore } from '../condstore.ts'
import { no } from '../error.ts'
import { labelsItem } from '../fetch/items/gmail.ts'
import { uidItem } from '../fetch/items/uid.ts'
import { writeMessages } from '../fetch/write-messages.ts'
import {
  flagLabels,
  isLabelled,
  type Label,
  type NameLabel,
  parseLabel,
  type UseLabel,
} from '../gmail/labels.ts'
import type { Parser } from '../input/parser.ts'
import type { Session } from '../session.ts'
import { completeStore } from './complete-store.ts'
import type { StoreItem, StoreRequest } from './store-item.ts'

export const gmailLabels: StoreItem = {
  name: 'X-GM-LABELS',
  parse(parser, { session }) {
    const labels = parseLabels(parser, session)
    return { kind: 'run', run: (current, request, isUid) => storeLabels(current, labels, request, isUid) }
  },
}

function parseLabels(parser: Parser, session: Session): readonly Label[] {
  if (parser.isListNext) return parser.list(() => parseLabel(parser, session))
  const labels = [parseLabel(parser, session)]
  while (parser.moreAfterSpace()) labels.push(parseLabel(parser, session))
  return labels
}

async function storeLabels(
  session: Session,
  labels: readonly Label[],
  { set, mode, isSilent, unchangedSince }: StoreRequest,
  isUid: boolean,
): Promise<Completion> {
  const { view, store, account } = session
  assertWritable(view)
  if (view.mailbox.account !== account) throw no('CANNOT', 'Labels are for messages of your own')
  if (unchangedSince !== undefined) enableCondstore(session)
  const selection = view.select(set, isUid)
  if (selection.count === 0) return {}
  const { id: mailbox } = view.mailbox
  const uids = uidRanges(selection.uids)
  const places = labels.filter(label => label.kind !== 'flag')
  const exclusive = mode === 'add' && labels.some(({ name }) => name === '\\Trash' || name === '\\Spam')
  const targets = await findTargets(session, places, mode !== 'remove')
  const archive = await findArchive(session)
  const result = await store.mutate('labelMessages', {
    account,
    mailbox,
    uids,
    mode: exclusive ? 'replace' : mode,
    labels: targets,
    archive,
    ...(unchangedSince !== undefined && { unchangedSince }),
  })
  for (const { mailbox: target, uids: added } of result.added)
    session.notifications?.ignoreMessages({ account, id: target }, added)
  const unmodified = new Set<number>(result.unmodified)
  const changed = Array.from(selection.uids).filter(uid => !unmodified.has(uid))
  await storeFlagLabels(session, labels, mode, changed)
  await view.refresh()
  if (!isSilent) {
    const items = isUid && !session.has('UIDONLY') ? [uidItem, labelsItem(session)] : [labelsItem(session)]
    await writeMessages(session, changed, items)
  }
  return completeStore(session, result.unmodified, isUid)
}

/** The mailboxes of labels; those that are missing are made where `mayCreate`, as Gmail does. Throws NO. */
async function findTargets(
  session: Session,
  labels: readonly (UseLabel | NameLabel)[],
  mayCreate: boolean,
): Promise<readonly MailboxId[]> {
  const mailboxes = await listMailboxes(session.store.reader, session.account)
  const targets = new Set<MailboxId>()
  for (const label of labels) {
    const found = mailboxes.find(mailbox => isLabelled(mailbox, label))
    if (found) targets.add(found.id)
    else if (label.kind === 'use') throw no('CANNOT', `No mailbox here is for ${label.name}`)
    else if (mayCreate) targets.add(await makeMailbox(session, label.name))
  }
  return [...targets]
}

async function findArchive(session: Session): Promise<MailboxId> {
  const mailboxes: readonly Mailbox[] = await listMailboxes(session.store.reader, session.account)
  const archive = mailboxes.find(({ specialUse }) => specialUse === '\\Archive')
  return archive?.id ?? makeMailbox(session, 'Archive')
}

/** Makes a mailbox, or finds the one that is there. */
async function makeMailbox(session: Session, name: string): Promise<MailboxId> {
  const { account, store } = session
  const known = await findMailbox(store.reader, account, name)
  if (known) return known.id
  try {
    const { mailbox } = await store.mutate('createMailbox', { account, name })
    session.notifications?.ignoreName(name)
    return mailbox
  } catch (error) {
    // Another session was quicker.
    if (!(error instanceof StoreError) || error.code !== 'mailbox-exists') throw error
    const made = await findMailbox(store.reader, account, name)
    if (!made) throw error
    return made.id
  }
}

/** \Starred, \Important and \Muted are flags of the messages that were named. */
async function storeFlagLabels(
  session: Session,
  labels: readonly Label[],
  mode: StoreRequest['mode'],
  uids: readonly number[],
): Promise<void> {
  const named = labels.filter(label => label.kind === 'flag')
  if (uids.length === 0) return
  const change = async (kind: 'add' | 'remove', flags: FlagSet) => {
    if (flags.system === 0 && flags.keywords.length === 0) return
    const { account, id: mailbox } = session.view.mailbox
    await session.store.mutate('storeFlags', { account, mailbox, uids: uidRanges(uids), mode: kind, flags })
  }
  await change(mode === 'remove' ? 'remove' : 'add', flagSet(named))
  if (mode === 'replace') await change('remove', flagSet(flagLabels.filter(label => !named.includes(label))))
}

function flagSet(labels: readonly { readonly flag: number | string }[]): FlagSet {
  let system = 0
  const keywords: string[] = []
  for (const { flag } of labels) {
    if (typeof flag === 'number') system |= flag
    else keywords.push(flag)
  }
  return { system, keywords }
}
