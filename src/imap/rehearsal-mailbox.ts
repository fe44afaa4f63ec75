// A mailbox that is nowhere, for a rehearsal: with thousands of messages, since V8 compiles a loop well once it has gone round some thousand times, and without
// a look at anybody's mail or a byte in the store.
import type { AccountId, MailboxId, ModSeq, UidValidity } from '../base/ids.ts'
import { EmailColumnCache } from '../store/email-columns.ts'
import { seen } from '../store/flags.ts'
import type { MailboxSnapshot } from '../store/mailbox-snapshot.ts'
import { snapshotOfHeader, snapshotOfRows } from '../store/snapshots/build-snapshot.ts'
import { packWhole, unpackChunks } from '../store/snapshots/packing.ts'
import type { Reader, SqlValue, Store } from '../store/store.ts'

/** Emails have the ids from 0. */
const messageCount = 4096
const firstDate = Date.UTC(2001, 0)
const hourMs = 3_600_000

/** A store in which that mailbox has messages that are made up. Of their emails it has what SENTSINCE compares. */
export function withMadeUpMailbox(store: Store, account: AccountId, mailbox: MailboxId): Store {
  const snapshot = madeUpSnapshots(account, mailbox)
  return {
    reader: store.reader,
    mutate: (name, args) => store.mutate(name, args),
    emailColumns: new EmailColumnCache(readerOf(makeSentDates())),
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

function makeSentDates(): readonly SentDate[] {
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

/** Half of the messages are unread. Each time the snapshot is read anew from its packed form, as that of a large mailbox after a start. */
function madeUpSnapshots(account: AccountId, mailbox: MailboxId): () => MailboxSnapshot {
  const modSeq = 1 as ModSeq
  const rows = Array.from({ length: messageCount }, (_unused, at) => {
    const date = firstDate + at * hourMs
    return [at + 1, at % 2 === 0 ? seen : 0, 1, 2000 + (at % 1000), date, date, at] as const
  })
  const context = { keywords: () => [], tombstones: () => ({ floor: 0, rows: [] }) }
  const state = {
    uidValidity: 1 as UidValidity,
    uidNext: messageCount + 1,
    modSeq,
    tombstoneFloor: modSeq,
    changeFloor: modSeq,
    total: messageCount,
  }
  const key = { account, mailbox }
  const { snapshot } = snapshotOfRows(context, key, state, rows, 0)
  const { header, chunks } = packWhole(snapshot)
  const load = (uids: Uint32Array) => unpackChunks(header, chunks, uids) ?? snapshot.columns
  return () =>
    snapshotOfHeader(context, key, state, header, load, async uids => load(uids))?.snapshot ?? snapshot
}
