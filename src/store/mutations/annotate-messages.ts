// Sets and removes annotations of messages, all or none. RFC 5257 §4.5; RFC 7162 §3.1.3 (UNCHANGEDSINCE).
import type { AccountId, MailboxId, ModSeq, Uid } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import type { MessageAnnotation } from '../message-annotations.ts'
import type { Tx } from '../store.ts'
import { rangesOf, type UidRanges } from '../uid-ranges.ts'
import { checkAnnotationRoom } from './check-annotation-room.ts'
import { takeModSeq } from './next-mod-seq.ts'
import { recordChanges } from './record-changes.ts'

export interface AnnotateMessages {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly uids: UidRanges
  /** Whose private annotations are meant. */
  readonly viewer: AccountId
  readonly annotations: readonly MessageAnnotation[]
  readonly unchangedSince?: ModSeq | undefined
  /** Up to where the caller knows the messages. */
  readonly knownTo?: ModSeq | undefined
}

export interface AnnotatedMessages {
  /** Of the messages that changed; the mailbox's own where none did. */
  readonly modSeq: ModSeq
  readonly changed: readonly Uid[]
  /** Those of them that others, or the caller, had changed after `knownTo`, with the modSeq of that: he has not heard of that. */
  readonly surprising: readonly { readonly uid: Uid; readonly modSeq: ModSeq }[]
  /** Refused because they changed after `unchangedSince`. */
  readonly unmodified: readonly Uid[]
}

/** The messages get a new modSeq. Throws `no-such-mailbox`, `too-many` (entries of one message) and `over-quota` (bytes). */
export async function annotateMessages(tx: Tx, args: AnnotateMessages): Promise<AnnotatedMessages> {
  const { account, mailbox, uids, viewer, annotations, unchangedSince, knownTo } = args
  const modSeq = await takeModSeq(tx, account)
  const known = await tx.get<{ mod_seq: ModSeq; changes: number }>(
    'SELECT mod_seq, changes FROM mailbox WHERE account = ? AND id = ?',
    account,
    mailbox,
  )
  if (!known) throw new StoreError('no-such-mailbox', 'the mailbox is gone')
  const changed: Uid[] = []
  const surprising: { uid: Uid; modSeq: ModSeq }[] = []
  const unmodified: Uid[] = []
  for (const [first, last] of uids) {
    const rows = await tx.arrays<[uid: Uid, modSeq: ModSeq]>(
      'SELECT uid, mod_seq FROM message WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid',
      account,
      mailbox,
      first,
      last,
    )
    for (const [uid, messageModSeq] of rows) {
      if (unchangedSince !== undefined && messageModSeq > unchangedSince) unmodified.push(uid)
      else {
        changed.push(uid)
        if (knownTo !== undefined && messageModSeq > knownTo) surprising.push({ uid, modSeq: messageModSeq })
      }
    }
  }
  for (const uid of changed) {
    await insertAnnotations(tx, { account, mailbox, uid, viewer, annotations, modSeq })
    await tx.run(
      'UPDATE message SET mod_seq = ? WHERE account = ? AND mailbox = ? AND uid = ?',
      modSeq,
      account,
      mailbox,
      uid,
    )
  }
  if (changed.length === 0) return { modSeq: known.mod_seq, changed, surprising, unmodified }
  await checkAnnotationRoom(tx, account)
  await recordChanges(tx, {
    account,
    mailbox,
    modSeq,
    uids: rangesOf(changed),
    unseen: 0,
    deleted: 0,
    changes: known.changes,
  })
  tx.changed(account, modSeq)
  return { modSeq, changed, surprising, unmodified }
}

/** Of one message that is there. Throws `too-many`. */
export async function insertAnnotations(
  tx: Tx,
  args: {
    readonly account: AccountId
    readonly mailbox: MailboxId
    readonly uid: Uid
    readonly viewer: AccountId
    readonly annotations: readonly MessageAnnotation[]
    readonly modSeq: ModSeq
  },
): Promise<void> {
  const { account, mailbox, uid, viewer, annotations, modSeq } = args
  for (const { entry, isShared, value } of annotations) {
    const owner = isShared ? 0 : viewer
    if (value === null) {
      await tx.run(
        `UPDATE message_annotation SET value = NULL, mod_seq = ?
         WHERE account = ? AND mailbox = ? AND uid = ? AND owner = ? AND entry = ? AND value IS NOT NULL`,
        modSeq,
        account,
        mailbox,
        uid,
        owner,
        entry,
      )
    } else {
      await tx.run(
        `INSERT INTO message_annotation (account, mailbox, uid, owner, entry, value, mod_seq) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (account, mailbox, uid, owner, entry) DO UPDATE SET value = excluded.value, mod_seq = excluded.mod_seq`,
        account,
        mailbox,
        uid,
        owner,
        entry,
        value,
        modSeq,
      )
    }
  }
  const { perMessage } = limits.annotation
  const rows = await tx.get<{ there: number; gone: number }>(
    `SELECT count(value) AS there, count(*) - count(value) AS gone FROM message_annotation WHERE account = ? AND mailbox = ? AND uid = ?`,
    account,
    mailbox,
    uid,
  )
  if (!rows) return
  if (rows.there > perMessage) throw new StoreError('too-many', 'too many annotations of one message')
  // What was removed is told to those who look soon; who looks later reads all anew.
  if (rows.gone > perMessage) {
    await tx.run(
      'DELETE FROM message_annotation WHERE account = ? AND mailbox = ? AND uid = ? AND value IS NULL AND mod_seq < ?',
      account,
      mailbox,
      uid,
      modSeq,
    )
  }
}
