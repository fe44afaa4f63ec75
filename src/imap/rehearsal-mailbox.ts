// A mailbox that is nowhere, for a rehearsal: with thousands of messages, since V8 compiles a loop well once it has gone round some thousand times, and without
// a look at anybody's mail or a byte in the store.
import type { AccountId, MailboxId, ModSeq, UidValidity } from '../base/ids.ts'
import { EmailColumnCache } from '../store/email-columns.ts'
import { seen } from '../store/flags.ts'
import type { MailboxSnapshot } from '../store/mailbox-snapshot.ts'
import {
  applyChanges,
  changedByMasks,
  snapshotOfHeader,
  snapshotOfRows,
  usableHeader,
} from '../store/snapshots/build-snapshot.ts'
import type { MailboxState } from '../store/snapshots/live-snapshot.ts'
import type { SnapshotRow } from '../store/snapshots/message-chunk.ts'
import { packWhole } from '../store/snapshots/packing.ts'
import type { Reader, SqlValue, Store } from '../store/store.ts'

const firstDate = Date.UTC(2001, 0)
const hourMs = 3_600_000
/** Messages of which the flags have changed. */
const fewMessages = 8

/**
 * A store in which that mailbox has so many messages, which are made up. Their emails have the ids from 0, and of them it has what SENTSINCE compares and what
 * lists show.
 */
export function withMadeUpMailbox(
  store: Store,
  account: AccountId,
  mailbox: MailboxId,
  messageCount: number,
): Store {
  const snapshot = madeUpSnapshots(account, mailbox, messageCount)
  return {
    reader: withMadeUpRows(store.reader),
    mutate: (name, args) => store.mutate(name, args),
    emailColumns: new EmailColumnCache(readerOf(makeSentDates(messageCount))),
    searchIndex: store.searchIndex,
    nodes: store.nodes,
    stageBody: () => store.stageBody(),
    bodyOf: bytes => store.bodyOf(bytes),
    readBody: (owner, hash, start, end) => store.readBody(owner, hash, start, end),
    snapshot,
    watch: (owner, listener) => store.watch(owner, listener),
    maintain: () => store.maintain(),
    close: () => store.close(),
  }
}

type SentDate = readonly [sentAt: number, zoneMinutes: number, id: number]

function makeSentDates(messageCount: number): readonly SentDate[] {
  return Array.from({ length: messageCount }, (_unused, id) => [firstDate + id * hourMs, 60, id] as const)
}

/** Reads emails from one id to another. */
function readerOf(emails: readonly SentDate[]): Reader {
  return {
    all: () => [],
    get: () => undefined,
    arrays: <Row>(_sql: string, ...[, first, last]: readonly SqlValue[]) =>
      emails.slice(Number(first), Number(last) + 1) as readonly unknown[] as readonly Row[],
  }
}

const bodyStructure = '("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "8BIT" 2000 40 NIL NIL NIL NIL)'
const people = '(("Ann Example" NIL "ann" "example.org"))'
const envelope = `("Mon, 1 Jan 2001 12:00:00 +0100" "What it is about" ${people} ${people} ${people} ${people} NIL NIL NIL "<1@example.org>")`

/** A reader in which any emails have that structure and envelope, for who asks for these two, in the form in which `reader` has them. */
function withMadeUpRows(reader: Reader): Reader {
  const wireForm = (text: string) => (reader.asText ? text : Buffer.from(text))
  const values = [wireForm(bodyStructure), wireForm(envelope)]
  const rowsOf = ([, first, last]: readonly SqlValue[]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_unused, at) => [Number(first) + at, ...values])
  return {
    all: (sql, ...params) => reader.all(sql, ...params),
    get: (sql, ...params) => reader.get(sql, ...params),
    arrays: <Row extends readonly unknown[]>(sql: string, ...params: readonly SqlValue[]) =>
      sql.startsWith('SELECT e.id, ')
        ? (rowsOf(params) as readonly unknown[] as readonly Row[])
        : reader.arrays<Row>(sql, ...params),
    ...(reader.asText && { asText: (column: string) => column }),
  }
}

/**
 * Half of the messages are unread. Each time the snapshot is read anew from its packed form, as that of a large mailbox after a start, and what has changed
 * since is laid over it: the first ones are read, the last one is gone, and its email has come once more.
 */
function madeUpSnapshots(
  account: AccountId,
  mailbox: MailboxId,
  messageCount: number,
): () => MailboxSnapshot {
  const rowOf = (uid: number, modSeq: number): SnapshotRow => {
    const at = Math.min(uid, messageCount) - 1
    const date = firstDate + at * hourMs
    return [uid, at % 2 === 0 ? seen : 0, modSeq, 2000 + (at % 1000), date, date, at]
  }
  const context = { keywords: () => [], tombstones: () => ({ floor: 0, rows: [] }) }
  const stateAt = (modSeq: number, uidNext: number): MailboxState => ({
    uidValidity: 1 as UidValidity,
    uidNext,
    modSeq: modSeq as ModSeq,
    tombstoneFloor: 1 as ModSeq,
    changeFloor: 1 as ModSeq,
    total: messageCount,
  })
  const key = { account, mailbox }
  const rows = Array.from({ length: messageCount }, (_unused, at) => rowOf(at + 1, 1))
  const { snapshot } = snapshotOfRows(context, key, stateAt(1, messageCount + 1), rows, 0)
  const { header, chunks } = packWhole(snapshot)
  const find = (chunk: number) => chunks[chunk] as Uint8Array
  const now = stateAt(3, messageCount + 2)
  const masks = [[2, 1, fewMessages, 0, seen]] as const
  const gone = [[messageCount, 3]] as const
  const added = [rowOf(messageCount + 1, 3)]
  return () => {
    const found = usableHeader([1, header], now)
    const packed = found && snapshotOfHeader(context, key, now, 1, found, find)
    const changed = packed && changedByMasks(packed, masks, gone)
    return (changed && applyChanges(context, packed, now, gone, changed, added)?.snapshot) ?? snapshot
  }
}
