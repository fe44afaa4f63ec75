import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId, MailboxId, ModSeq, UidValidity } from '../../src/base/ids.ts'
import { deletedRanges } from '../../src/imap/deleted-messages.ts'
import { deleted, seen } from '../../src/store/flags.ts'
import type { MailboxSnapshot } from '../../src/store/mailbox-snapshot.ts'
import { LiveSnapshot } from '../../src/store/snapshots/live-snapshot.ts'
import { MessageList } from '../../src/store/snapshots/message-list.ts'
import { RecentChanges } from '../../src/store/snapshots/recent-changes.ts'

/** A mailbox whose messages have the UIDs 10, 20 …; those at these positions have \\Deleted. */
function mailbox(count: number, marked: readonly number[]): MailboxSnapshot {
  const list = new MessageList()
  // Behind the last is one that is not of this state.
  for (let position = 0; position <= count; position++) {
    const flags = position === count ? deleted : marked.includes(position) ? deleted | seen : seen
    list.append(position, [[(position + 1) * 10, flags, 1, 0, 0, 0, 0]])
  }
  const context = { keywords: () => [], tombstones: () => ({ floor: 0, rows: [] }) }
  const key = { account: 1 as AccountId, mailbox: 1 as MailboxId }
  const state = {
    uidValidity: 1 as UidValidity,
    uidNext: count * 10 + 20,
    modSeq: 1 as ModSeq,
    tombstoneFloor: 0 as ModSeq,
  }
  const history = { changed: new RecentChanges(1), vanished: new RecentChanges(1) }
  return new LiveSnapshot(context, key, state, count, list, history)
}

const never = () => undefined

test('the ranges hold every message with \\Deleted, and leave out where there are none for long', async () => {
  assert.deepEqual(await deletedRanges(mailbox(0, []), never), [])
  assert.deepEqual(await deletedRanges(mailbox(1000, []), never), [])
  assert.deepEqual(await deletedRanges(mailbox(1000, [0]), never), [[10, 10]])
  assert.deepEqual(await deletedRanges(mailbox(1000, [999]), never), [[10_000, 10_000]])
  assert.deepEqual(await deletedRanges(mailbox(1000, [3, 4, 5, 69, 134]), never), [
    [40, 700],
    [1350, 1350],
  ])
})
