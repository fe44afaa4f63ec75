// Puts emails into mailboxes and takes them out, as Gmail's labels do. X-GM-EXT-1. An email never loses its last mailbox by this.
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import type { Tx } from '../store.ts'
import { rangesOf, type UidRanges } from '../uid-ranges.ts'
import { countUsage } from './check-quota.ts'
import { copyRows } from './copy-messages.ts'
import { removeMessages } from './expunge-messages.ts'
import { takeModSeq } from './next-mod-seq.ts'

export interface LabelMessages {
  readonly account: AccountId
  /** Where the messages are named. */
  readonly mailbox: MailboxId
  readonly uids: UidRanges
  readonly mode: 'add' | 'remove' | 'replace'
  readonly labels: readonly MailboxId[]
  /** Emails that would be in no mailbox any more go there. */
  readonly archive: MailboxId
  /** Messages that changed later are left alone. */
  readonly unchangedSince?: ModSeq | undefined
}

export interface LabelledMessages {
  /** Refused because they changed after `unchangedSince`. */
  readonly unmodified: readonly Uid[]
  /** What was put in, by mailbox. */
  readonly added: readonly { readonly mailbox: MailboxId; readonly uids: Uint32Array }[]
}

/** An email with what is in the way of its labels. */
interface Labelled {
  readonly uid: Uid
  readonly places: Map<MailboxId, Uid[]>
}

/** Copies have the flags of the message that was named. Throws `no-such-mailbox`, `over-quota` and `too-many`. */
export async function labelMessages(tx: Tx, args: LabelMessages): Promise<LabelledMessages> {
  const { account, mailbox, mode, labels, archive } = args
  const modSeq = await takeModSeq(tx, account)
  const { emails, unmodified } = await readEmails(tx, args)
  const copies = new Map<MailboxId, Uid[]>()
  const removals = new Map<MailboxId, Uid[]>()
  for (const { uid, places } of emails) {
    const wanted = new Set(mode === 'replace' ? [] : places.keys())
    for (const label of labels)
      if (mode === 'remove') wanted.delete(label)
      else wanted.add(label)
    if (wanted.size === 0) wanted.add(archive)
    for (const target of wanted) if (!places.has(target)) put(copies, target, [uid])
    for (const [place, uids] of places) if (!wanted.has(place)) put(removals, place, uids)
  }
  const added: { mailbox: MailboxId; uids: Uint32Array }[] = []
  let addedBytes = 0
  let addedCount = 0
  for (const [target, uids] of copies) {
    const { result, sizeBytes } = await copyRows(
      tx,
      { account, mailbox, uids: rangesOf(uids), target },
      modSeq,
    )
    added.push({ mailbox: target, uids: result.targetUids })
    addedBytes += sizeBytes
    addedCount += result.targetUids.length
  }
  let removedCount = 0
  for (const [place, uids] of removals) {
    removedCount += uids.length
    await removeMessages(tx, {
      account,
      mailbox: place,
      ranges: rangesOf(uids.sort((a, b) => a - b)),
      modSeq,
      onlyDeleted: false,
      keepsUsage: false,
    })
  }
  const addition = { messages: addedCount, sizeBytes: addedBytes }
  if (addedCount > 0) await countUsage(tx, account, addition, addedCount <= removedCount)
  if (copies.size + removals.size > 0) tx.changed(account, modSeq)
  return { unmodified, added }
}

/** The emails of the messages that are named, each once, with all places where they are. */
async function readEmails(
  tx: Tx,
  { account, mailbox, uids, unchangedSince = Number.MAX_SAFE_INTEGER as ModSeq }: LabelMessages,
): Promise<{ readonly emails: readonly Labelled[]; readonly unmodified: readonly Uid[] }> {
  if (!(await tx.get('SELECT id FROM mailbox WHERE account = ? AND id = ?', account, mailbox)))
    throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  const emails = new Map<number, Labelled>()
  const unmodified = new Set<Uid>()
  for (const [first, last] of uids) {
    const rows = await tx.arrays<[uid: Uid, modSeq: ModSeq, email: number, place: MailboxId, placeUid: Uid]>(
      `SELECT m.uid, m.mod_seq, m.email, p.mailbox, p.uid FROM message m JOIN message p ON p.account = m.account AND p.email = m.email
       WHERE m.account = ? AND m.mailbox = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid`,
      account,
      mailbox,
      first,
      last,
    )
    for (const [uid, modSeq, email, place, placeUid] of rows) {
      if (modSeq > unchangedSince) {
        unmodified.add(uid)
        continue
      }
      const known = emails.get(email)
      if (!known) emails.set(email, { uid, places: new Map([[place, [placeUid]]]) })
      // The same email may be named twice.
      else if (known.uid === uid) put(known.places, place, [placeUid])
    }
  }
  return { emails: [...emails.values()], unmodified: [...unmodified] }
}

function put(map: Map<MailboxId, Uid[]>, mailbox: MailboxId, uids: readonly Uid[]): void {
  const known = map.get(mailbox)
  if (known) known.push(...uids)
  else map.set(mailbox, [...uids])
}
