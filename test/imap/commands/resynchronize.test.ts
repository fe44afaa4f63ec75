import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AccountId, MailboxId, ModSeq, UidValidity } from '../../../src/base/ids.ts'
import { vanishedSince } from '../../../src/imap/commands/resynchronize.ts'
import type { MailboxSnapshot } from '../../../src/store/mailbox-snapshot.ts'
import { LiveSnapshot } from '../../../src/store/snapshots/live-snapshot.ts'
import { MessageList } from '../../../src/store/snapshots/message-list.ts'
import { RecentChanges } from '../../../src/store/snapshots/recent-changes.ts'

/** A view of a mailbox with these UIDs, whose expunges are forgotten up to modSeq 9. */
function viewOf(uids: readonly number[], uidNext: number): { readonly snapshot: MailboxSnapshot } {
  const list = new MessageList()
  for (const [position, uid] of uids.entries()) list.append(position, [[uid, 0, 1, 0, 0, 0, 0]])
  const context = { keywords: () => [], tombstones: () => ({ floor: 9, rows: [] }) }
  const key = { account: 1 as AccountId, mailbox: 1 as MailboxId }
  const state = {
    uidValidity: 1 as UidValidity,
    uidNext,
    modSeq: 10 as ModSeq,
    tombstoneFloor: 9 as ModSeq,
  }
  const history = { changed: new RecentChanges(10), vanished: new RecentChanges(10) }
  return { snapshot: new LiveSnapshot(context, key, state, uids.length, list, history) }
}

const ranges = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 45 }), fc.integer({ min: 0, max: 10 }))
    .map(([first, more]) => [first, first + more] as const),
  { minLength: 1, maxLength: 4 },
)

test('where expunges are forgotten, what a client may know and is not there has gone (RFC 7162 §3.2.6)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: 40 })),
      fc.option(ranges, { nil: undefined }),
      fc.integer({ min: 1, max: 50 }),
      async (some, knownUids, from) => {
        const uids = some.toSorted((a, b) => a - b)
        const known = { modSeq: 5 as ModSeq, knownUids }
        const gone = await vanishedSince(viewOf(uids, 41), known, () => undefined, from)
        const expected: number[] = []
        for (let uid = from; uid <= 40; uid++) {
          const isKnown = !knownUids || knownUids.some(([first, last]) => first <= uid && uid <= last)
          if (isKnown && !uids.includes(uid)) expected.push(uid)
        }
        assert.deepEqual(gone, expected)
      },
    ),
  )
})
