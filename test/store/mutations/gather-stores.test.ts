import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { AccountId, MailboxId, ModSeq, Uid } from '../../../src/base/ids.ts'
import type { MutationArgs } from '../../../src/store/mutations.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { numbersOf } from '../../../src/store/uid-ranges.ts'
import { createDatabase } from '../../postgres/database.ts'
import { addAccount, mail, mailboxId } from '../fixture.ts'
import { valuesOf } from '../snapshot-values.ts'

const count = 90

type Change = Pick<MutationArgs<'storeFlags'>, 'uids' | 'mode' | 'flags' | 'knownTo' | 'unchangedSince'>

interface Place {
  readonly store: Store
  readonly account: AccountId
  readonly mailbox: MailboxId
}

/** A mailbox of `count` messages in an account of its own. */
async function placeIn(store: Store): Promise<Place> {
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const messages = Array.from({ length: count }, (_, at) => mail(store, `${at}`))
  await store.mutate('appendMessages', { account, mailbox, messages })
  return { store, account, mailbox }
}

/** Runs of neighbours, single messages, and what lies behind the last message. */
const uids = fc
  .uniqueArray(fc.integer({ min: 1, max: count + 5 }), { minLength: 1, maxLength: 4 })
  .map(ends => ends.sort((a, b) => a - b))
  .map(ends => ends.map((first, at) => [first, Math.min(first + 3, (ends[at + 1] ?? Infinity) - 1)] as const))

const change: fc.Arbitrary<Change> = fc.record(
  {
    uids,
    mode: fc.constantFrom('add', 'add', 'remove', 'replace'),
    flags: fc.constantFrom(
      { system: 1, keywords: [] },
      { system: 1, keywords: [] },
      { system: 8, keywords: [] },
      { system: 4, keywords: ['$X'] },
    ),
    knownTo: fc.constantFrom(0 as ModSeq, 1e9 as ModSeq),
    unchangedSince: fc.constantFrom(0 as ModSeq, 1e9 as ModSeq),
  },
  { requiredKeys: ['uids', 'mode', 'flags'] },
)

/** One message after another, as a client pipelines. */
const row = fc
  .tuple(change, fc.integer({ min: 1, max: count - 20 }), fc.integer({ min: 2, max: 20 }))
  .map(([{ mode, flags }, first, length]) =>
    Array.from({ length }, (_, at): Change => ({ uids: [[first + at, first + at]], mode, flags })),
  )

const engines = [
  { engine: 'SQLite', open: () => openStore({ memory: true }) },
  { engine: 'PostgreSQL', open: async () => openStore({ url: (await createDatabase()).url }) },
]

for (const { engine, open } of engines) {
  describe(engine, () => {
    let store: Store
    before(async () => {
      store = await open()
    })
    // Before its database is dropped.
    after(() => store.close())

    test('changes of flags that wait together are answered, and leave the mailbox, as one after another', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(row, fc.array(change, { maxLength: 3 })), { maxLength: 6 }),
          async all => {
            const changes = all.flat()
            const [together, alone] = [await placeIn(store), await placeIn(store)]
            const ask = ({ account, mailbox }: Place, change: Change) =>
              store.mutate('storeFlags', { account, mailbox, ...change })
            const answers = await Promise.all(changes.map(each => ask(together, each)))
            for (const [at, each] of changes.entries()) {
              const expected = await ask(alone, each)
              const answer = answers[at] ?? assert.fail()
              assert.deepEqual(numbersOf(answer.changed), numbersOf(expected.changed))
              // Those of messages that changed together are one modSeq.
              const surprising = (stored: typeof expected) => stored.surprising.map(({ uid }) => uid)
              assert.deepEqual(surprising(answer), surprising(expected))
              assert.deepEqual(answer.unmodified, expected.unmodified)
            }
            const states = await Promise.all(
              [together, alone].map(async ({ account, mailbox }) => {
                const snapshot = await store.snapshot(account, mailbox)
                return valuesOf(snapshot.uids, count).reduce<unknown[]>((rows, _uid, at) => {
                  const flags = snapshot.flags.at(at)
                  rows.push([flags & 0xff, snapshot.keywordsOf(flags)])
                  return rows
                }, [])
              }),
            )
            assert.deepEqual(states[0], states[1])
          },
        ),
        { numRuns: 60 },
      )
    })

    test('pipelined changes of neighbours take one modSeq, and each is told its own messages', async () => {
      const { account, mailbox } = await placeIn(store)
      const flags = { system: 4, keywords: [] }
      const ask = (uid: number) =>
        store.mutate('storeFlags', { account, mailbox, uids: [[uid, uid]], mode: 'add', flags })
      const answers = await Promise.all([1, 2, 3, 70, 95].map(ask))
      assert.deepEqual(
        answers.map(({ changed }) => numbersOf(changed)),
        [[1], [2], [3], [70], []],
      )
      assert.equal(new Set(answers.map(({ modSeq }) => modSeq)).size, 1)
    })

    test('what one of many mutations is refused for leaves the others as they are, bodies too', async () => {
      const { account, mailbox } = await placeIn(store)
      const add = (to: number, text: string) =>
        store.mutate('appendMessages', { account, mailbox: to as MailboxId, messages: [mail(store, text)] })
      const ends = await Promise.allSettled([
        add(mailbox, 'first'),
        add(999, 'nowhere'),
        add(mailbox, 'second'),
        store.mutate('storeFlags', {
          account,
          mailbox,
          uids: [[1, 1]],
          mode: 'add',
          flags: { system: 1, keywords: [] },
        }),
        store.mutate('storeFlags', {
          account,
          mailbox: 999 as MailboxId,
          uids: [[2, 2]],
          mode: 'add',
          flags: { system: 1, keywords: [] },
        }),
      ])
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected'],
      )
      const snapshot = await store.snapshot(account, mailbox)
      assert.equal(snapshot.count, count + 2)
      assert.equal(snapshot.uidNext, (count + 3) as Uid)
      assert.equal(snapshot.flags.at(0), 1)
      const bodies = await store.reader.all<{ blob: Uint8Array }>(
        'SELECT blob FROM email WHERE account = ? AND id > ? ORDER BY id',
        account,
        count,
      )
      const texts = await Promise.all(
        bodies.map(async ({ blob }) => {
          const body = await store.readBody(account, Buffer.from(blob).toString('hex') as never)
          return body.toString().trimEnd().split('\r\n').at(-1)
        }),
      )
      assert.deepEqual(texts, ['first', 'second'])
    })
  })
}
