// What every store must do, whatever it is built on. A new back-end passes this suite.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AccountId, BlobHash, EmailId, MailboxId, ModSeq, Uid } from '../../src/base/ids.ts'
import { limits } from '../../src/base/limits.ts'
import { StoreError, type StoreErrorCode } from '../../src/store/error.ts'
import { deleted, type FlagSet, flagged, noFlags, seen } from '../../src/store/flags.ts'
import { findMailbox, listMailboxes, listSubscriptions } from '../../src/store/read/mailboxes.ts'
import type { MessageAnnotation } from '../../src/store/message-annotations.ts'
import {
  listChangedMessageAnnotations,
  listMessageAnnotations,
} from '../../src/store/read/message-annotations.ts'
import { findQuota } from '../../src/store/read/quota.ts'
import type { ChangeHint, Store } from '../../src/store/store.ts'
import type { StoreOptions } from '../../src/store/store-options.ts'
import { numbersOf, rangesOf, type UidRanges } from '../../src/store/uid-ranges.ts'
import { addAccount, mail, mailboxId } from './fixture.ts'
import { collectGarbage } from '../security/held-bytes.ts'
import { queueConformance } from './queue-conformance.ts'
import { sharingConformance } from './sharing-conformance.ts'
import { valuesOf } from './snapshot-values.ts'

/** Opens an empty store that is closed after the test. */
export type StoreOpener = (t: TestContext, options?: StoreOptions) => Promise<Store>

export function refuses(code: StoreErrorCode): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof StoreError, String(error))
    assert.equal(error.code, code)
    return true
  }
}

async function flagsOf(
  store: Store,
  account: AccountId,
  mailbox: MailboxId,
): Promise<[number, number, string][]> {
  const snapshot = await store.snapshot(account, mailbox)
  return Array.from({ length: snapshot.count }, (_, i) => {
    const flags = snapshot.flags.at(i)
    return [snapshot.uids.at(i), flags & 0xff, snapshot.keywordsOf(flags).join(' ')]
  })
}

async function uidsOf(store: Store, account: AccountId, mailbox: MailboxId): Promise<number[]> {
  const snapshot = await store.snapshot(account, mailbox)
  return valuesOf(snapshot.uids, snapshot.count)
}

/** `takesClock`: the writer runs on the clock of the options (a thread of its own has the system's). */
export function storeConformance(name: string, open: StoreOpener, takesClock = true): void {
  sharingConformance(name, open)
  queueConformance(name, open)
  describe(`${name}: messages`, () => {
    test('appended messages get ascending UIDs and one modSeq, and their bodies are read back', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const inbox = await mailboxId(store, account, 'INBOX')
      const first = mail(store, 'one', { flags: { system: seen, keywords: ['$Work'] }, receivedAt: 1000 })
      const second = mail(store, 'two')
      const result = await store.mutate('appendMessages', {
        account,
        mailbox: inbox,
        messages: [first, second],
      })
      assert.deepEqual(result.uids, [1, 2])
      const snapshot = await store.snapshot(account, inbox)
      assert.equal(snapshot.count, 2)
      assert.equal(snapshot.modSeq, result.modSeq)
      assert.equal(snapshot.uidValidity, result.uidValidity)
      assert.equal(snapshot.uidNext, 3)
      assert.deepEqual(valuesOf(snapshot.modSeqs, 2), [result.modSeq, result.modSeq])
      assert.equal(snapshot.receivedAts.at(0), 1000)
      assert.equal(snapshot.sizes.at(0), first.email.sizeBytes)
      assert.deepEqual(
        [0, 1].map(i => snapshot.emailAt(i)),
        result.emails,
      )
      assert.deepEqual(await flagsOf(store, account, inbox), [
        [1, seen, '$Work'],
        [2, 0, ''],
      ])
      const body = await store.readBody(account, first.body.hash)
      assert.ok(first.body.kind === 'inline' && body.equals(first.body.bytes))
      assert.equal((await store.readBody(account, first.body.hash, 0, 5)).toString(), 'From:')
      assert.equal((await store.readBody(account, first.body.hash, 5, 5)).length, 0)
      const row = await findMailbox(store.reader, account, 'inbox')
      assert.equal(row?.total, 2)
      assert.equal(row?.unseen, 1)
      assert.equal(row?.sizeBytes, first.email.sizeBytes + second.email.sizeBytes)
    })

    test('many appends at once are all kept, each with its own UID', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const inbox = await mailboxId(store, account, 'INBOX')
      const messages = Array.from({ length: 300 }, (_, i) => mail(store, `number ${i}`))
      const results = await Promise.all(
        messages.map(message =>
          store.mutate('appendMessages', { account, mailbox: inbox, messages: [message] }),
        ),
      )
      assert.deepEqual(new Set(results.map(result => result.uids[0])).size, 300)
      for (const message of messages) {
        const body = await store.readBody(account, message.body.hash)
        assert.ok(message.body.kind === 'inline' && body.equals(message.body.bytes))
      }
    })

    test('STORE adds, removes and replaces flags, and leaves modSeq alone where nothing changes (RFC 7162 §3.1.3)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      await store.mutate('appendMessages', {
        account,
        mailbox,
        messages: [
          mail(store, '1', { flags: { system: seen, keywords: ['$A'] } }),
          mail(store, '2'),
          mail(store, '3', { flags: { system: seen | flagged, keywords: [] } }),
        ],
      })
      const added = await store.mutate('storeFlags', {
        account,
        mailbox,
        uids: [[1, 2]],
        mode: 'add',
        flags: { system: seen, keywords: ['$b', '$a'] },
      })
      assert.deepEqual(added.changed, [[1, 2]])
      assert.deepEqual(await flagsOf(store, account, mailbox), [
        [1, seen, '$A $b'],
        [2, seen, '$A $b'],
        [3, seen | flagged, ''],
      ])
      const again = await store.mutate('storeFlags', {
        account,
        mailbox,
        uids: [[1, 3]],
        mode: 'add',
        flags: { system: seen, keywords: [] },
      })
      assert.deepEqual(again, {
        modSeq: added.modSeq,
        changed: [],
        surprising: [],
        unmodified: new Uint32Array(0),
      })
      const removed = await store.mutate('storeFlags', {
        account,
        mailbox,
        uids: [
          [1, 1],
          [3, 9],
        ],
        mode: 'remove',
        flags: { system: flagged, keywords: ['$B'] },
      })
      assert.deepEqual(removed.changed, rangesOf([1, 3]))
      await store.mutate('storeFlags', {
        account,
        mailbox,
        uids: [[2, 2]],
        mode: 'replace',
        flags: { system: deleted, keywords: ['$New'] },
      })
      assert.deepEqual(await flagsOf(store, account, mailbox), [
        [1, seen, '$A'],
        [2, deleted, '$New'],
        [3, seen, ''],
      ])
      const row = await findMailbox(store.reader, account, 'INBOX')
      assert.deepEqual([row?.unseen, row?.deleted], [1, 1])
    })

    test('flags of many messages change as those of each would, and a snapshot follows', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const count = 3 * limits.store.briefMessages
      const keywords = ['$A']
      /** What each message has, by UID. */
      const expected = new Map<number, { system: number; keywords: readonly string[] }>()
      for (let uid = 1; uid <= count; uid++)
        expected.set(uid, { system: uid % 32, keywords: uid % 3 === 0 ? keywords : [] })
      const { modSeq } = await store.mutate('appendMessages', {
        account,
        mailbox,
        messages: Array.from(expected.values(), flags => mail(store, '', { flags })),
      })
      const known = await store.snapshot(account, mailbox)
      await store.mutate('expungeMessages', { account, mailbox, uids: [[7, 7]], onlyDeleted: false })
      expected.delete(7)
      const other = await store.mutate('storeFlags', {
        account,
        mailbox,
        uids: [[1, 1]],
        mode: 'replace',
        flags: { system: flagged, keywords: [] },
      })
      expected.set(1, { system: flagged, keywords: [] })
      const steps = [
        ['add', seen | deleted, count],
        ['add', seen, count],
        ['remove', seen | flagged, count - 1],
        ['remove', deleted, count],
        ['replace', flagged | deleted, count],
        ['replace', 0, count],
      ] as const
      for (const [mode, system, last] of steps) {
        const changed: number[] = []
        for (const [uid, before] of expected) {
          if (uid > last) continue
          const after =
            mode === 'add'
              ? { ...before, system: before.system | system }
              : mode === 'remove'
                ? { ...before, system: before.system & ~system }
                : { system, keywords: [] }
          if (after.system === before.system && after.keywords.length === before.keywords.length) continue
          expected.set(uid, after)
          changed.push(uid)
        }
        const result = await store.mutate('storeFlags', {
          account,
          mailbox,
          uids: [[1, last]],
          mode,
          flags: { system, keywords: [] },
          ...(mode === 'add' && { knownTo: modSeq }),
        })
        assert.deepEqual(result.changed, rangesOf(changed))
        // The first STORE meets the change of before, the second only its own.
        const unheard = mode === 'add' && system !== seen ? [{ uid: 1, modSeq: other.modSeq }] : []
        assert.deepEqual(result.surprising, unheard)
        assert.deepEqual(
          await flagsOf(store, account, mailbox),
          Array.from(expected, ([uid, flags]) => [uid, flags.system, flags.keywords.join(' ')]),
        )
        const snapshot = await store.snapshot(account, mailbox)
        for (const uid of changed) assert.equal(snapshot.modSeqs.at(snapshot.positionOf(uid)), result.modSeq)
        const row = await findMailbox(store.reader, account, 'INBOX')
        const having = (flag: number) =>
          Array.from(expected.values()).filter(flags => (flags.system & flag) !== 0).length
        assert.deepEqual([row?.unseen, row?.deleted], [expected.size - having(seen), having(deleted)])
      }
      const last = await store.snapshot(account, mailbox)
      assert.equal((await last.changesAfter(known.modSeq)).changed.length, expected.size)
    })

    test('several changes of flags at once, and an expunge behind them, lead a snapshot to the rows', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const messages = Array.from({ length: 10 }, () => mail(store))
      await store.mutate('appendMessages', { account, mailbox, messages })
      await store.snapshot(account, mailbox)
      const setFlags = (mode: 'add' | 'remove', system: number, words: readonly string[], uids: UidRanges) =>
        store.mutate('storeFlags', { account, mailbox, uids, mode, flags: { system, keywords: words } })
      await setFlags('add', seen | flagged, [], [[1, 8]])
      await setFlags('remove', seen, [], [[2, 3]])
      await setFlags('add', deleted, [], [[3, 5]])
      await store.mutate('expungeMessages', { account, mailbox, uids: [[4, 5]], onlyDeleted: true })
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      await setFlags('add', seen, [], [[9, 11]])
      const expected = [
        [1, seen | flagged, ''],
        [2, flagged, ''],
        [3, flagged | deleted, ''],
        [6, seen | flagged, ''],
        [7, seen | flagged, ''],
        [8, seen | flagged, ''],
        [9, seen, ''],
        [10, seen, ''],
        [11, seen, ''],
      ]
      assert.deepEqual(await flagsOf(store, account, mailbox), expected)
      // A keyword among them, whose set depends on what the message had.
      await setFlags('remove', seen, [], [[1, 2]])
      await setFlags('add', 0, ['$A'], [[1, 1]])
      await setFlags('add', deleted, [], [[1, 1]])
      expected[0] = [1, flagged | deleted, '$A']
      assert.deepEqual(await flagsOf(store, account, mailbox), expected)
    })

    test('UNCHANGEDSINCE refuses what changed later, message by message (RFC 7162 §3.1.3)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const { modSeq } = await store.mutate('appendMessages', {
        account,
        mailbox,
        messages: [mail(store), mail(store), mail(store)],
      })
      const change = { account, mailbox, mode: 'add', flags: { system: seen, keywords: [] } } as const
      await store.mutate('storeFlags', { ...change, uids: [[2, 2]] })
      const result = await store.mutate('storeFlags', {
        ...change,
        flags: { system: flagged, keywords: [] },
        uids: [[1, 3]],
        unchangedSince: modSeq,
      })
      assert.deepEqual(result.changed, rangesOf([1, 3]))
      assert.deepEqual([...result.unmodified], [2])
    })

    test('COPY keeps flags, date and email and pairs the UIDs (RFC 4315 §3)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const inbox = await mailboxId(store, account, 'INBOX')
      const sent = await mailboxId(store, account, 'Sent')
      const { emails } = await store.mutate('appendMessages', {
        account,
        mailbox: inbox,
        messages: [
          mail(store, '1', { flags: { system: seen, keywords: ['$K'] }, receivedAt: 5 }),
          mail(store, '2'),
          mail(store, '3', { flags: { system: deleted, keywords: [] } }),
        ],
      })
      const copied = await store.mutate('copyMessages', {
        account,
        mailbox: inbox,
        uids: [
          [1, 1],
          [3, 7],
        ],
        target: sent,
      })
      assert.deepEqual(
        [[...copied.sourceUids], [...copied.targetUids]],
        [
          [1, 3],
          [1, 2],
        ],
      )
      const snapshot = await store.snapshot(account, sent)
      assert.equal(copied.uidValidity, snapshot.uidValidity)
      assert.deepEqual([snapshot.emailAt(0), snapshot.emailAt(1)], [emails[0], emails[2]])
      assert.equal(snapshot.receivedAts.at(0), 5)
      assert.deepEqual(await flagsOf(store, account, sent), [
        [1, seen, '$K'],
        [2, deleted, ''],
      ])
      // Into itself: the copies are not copied again.
      const self = await store.mutate('copyMessages', {
        account,
        mailbox: sent,
        uids: [[1, 2 ** 32 - 1]],
        target: sent,
      })
      assert.deepEqual([...self.targetUids], [3, 4])
      assert.deepEqual(await uidsOf(store, account, sent), [1, 2, 3, 4])
      const row = await findMailbox(store.reader, account, 'Sent')
      assert.deepEqual([row?.total, row?.unseen, row?.deleted], [4, 2, 2])
    })

    test('MOVE takes messages away with tombstones (RFC 6851 §4.4) and can stay in one mailbox', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const inbox = await mailboxId(store, account, 'INBOX')
      const trash = await mailboxId(store, account, 'Trash')
      const message = mail(store, 'kept')
      const before = await store.mutate('appendMessages', {
        account,
        mailbox: inbox,
        messages: [message, mail(store)],
      })
      await store.snapshot(account, inbox)
      const moved = await store.mutate('moveMessages', {
        account,
        mailbox: inbox,
        uids: [[1, 1]],
        target: trash,
      })
      assert.deepEqual([[...moved.sourceUids], [...moved.targetUids]], [[1], [1]])
      assert.deepEqual(await uidsOf(store, account, inbox), [2])
      assert.deepEqual(await uidsOf(store, account, trash), [1])
      const delta = await (await store.snapshot(account, inbox)).changesAfter(before.modSeq)
      assert.deepEqual(delta.vanished, [{ uid: 1, modSeq: moved.modSeq }])
      assert.ok((await store.readBody(account, message.body.hash)).length > 0)
      const self = await store.mutate('moveMessages', {
        account,
        mailbox: trash,
        uids: [[1, 1]],
        target: trash,
      })
      assert.deepEqual([...self.targetUids], [2])
      assert.deepEqual(await uidsOf(store, account, trash), [2])
    })

    test('labels put emails into mailboxes and take them out, whole or not at all, and none loses its last mailbox', async t => {
      const store = await open(t)
      const account = await addAccount(store, { quotaMessages: 4 })
      const [inbox, sent, trash] = [
        await mailboxId(store, account, 'INBOX'),
        await mailboxId(store, account, 'Sent'),
        await mailboxId(store, account, 'Trash'),
      ]
      await store.mutate('appendMessages', {
        account,
        mailbox: inbox,
        messages: [mail(store, '1', { flags: { system: seen, keywords: [] } }), mail(store, '2')],
      })
      const label = (
        uids: [number, number],
        mode: 'add' | 'remove' | 'replace',
        labels: readonly (typeof sent)[],
      ) =>
        store.mutate('labelMessages', { account, mailbox: inbox, uids: [uids], mode, labels, archive: trash })
      const totals = async () => [
        ...(await Promise.all([inbox, sent, trash].map(mailbox => uidsOf(store, account, mailbox)))).map(
          uids => uids.length,
        ),
        (await findQuota(store.reader, account))?.usedMessages,
      ]
      const { added } = await label([1, 2], 'add', [sent])
      assert.deepEqual(added, [{ mailbox: sent, uids: Uint32Array.of(1, 2) }])
      assert.deepEqual(await flagsOf(store, account, sent), [
        [1, seen, ''],
        [2, 0, ''],
      ])
      assert.deepEqual(await totals(), [2, 2, 0, 4])
      // Those that are there already are not put there twice.
      assert.deepEqual((await label([1, 2], 'add', [sent])).added, [])
      await assert.rejects(label([1, 2], 'add', [trash]), refuses('over-quota'))
      assert.deepEqual(await totals(), [2, 2, 0, 4])
      // One that only changes its place may do so.
      await label([1, 1], 'replace', [trash])
      assert.deepEqual(await totals(), [1, 1, 1, 3])
      await label([2, 2], 'remove', [sent])
      await label([2, 2], 'remove', [inbox])
      assert.deepEqual(await totals(), [0, 0, 2, 2])
      const delta = await (await store.snapshot(account, inbox)).changesAfter(1 as ModSeq)
      assert.deepEqual(
        delta.vanished.map(({ uid }) => uid),
        [1, 2],
      )
    })

    test('annotations of messages are set, copied, counted and removed with their message (RFC 5257)', async t => {
      const store = await open(t)
      const [account, guest] = [await addAccount(store), await addAccount(store)]
      const [inbox, sent] = [
        await mailboxId(store, account, 'INBOX'),
        await mailboxId(store, account, 'Sent'),
      ]
      const shared = { entry: '/comment', isShared: true, value: Buffer.from('ours') }
      const own = { entry: '/comment', isShared: false, value: Buffer.from('mine') }
      await store.mutate('appendMessages', {
        account,
        mailbox: inbox,
        messages: [{ ...mail(store), annotations: [shared, own] }, mail(store)],
      })
      const before = (await store.snapshot(account, inbox)).modSeq
      const set = (viewer: AccountId, annotations: readonly MessageAnnotation[], unchangedSince?: ModSeq) =>
        store.mutate('annotateMessages', {
          account,
          mailbox: inbox,
          uids: [[1, 2]],
          viewer,
          annotations,
          unchangedSince,
        })
      const texts = async (mailbox: typeof inbox, viewer: AccountId) =>
        (await listMessageAnnotations(store.reader, account, mailbox, viewer, [1, 9])).map(
          ({ uid, owner, value }) =>
            `${uid} ${owner === 0 ? 'shared' : 'own'} ${Buffer.from(value).toString()}`,
        )
      const { modSeq, changed } = await set(guest, [{ ...own, value: Buffer.from('guest') }])
      assert.deepEqual(changed, [1, 2])
      assert.ok(modSeq > before)
      assert.deepEqual([...(await set(account, [own], before)).unmodified], [1, 2])
      assert.deepEqual(await texts(inbox, account), ['1 shared ours', '1 own mine'])
      assert.deepEqual(await texts(inbox, guest), ['1 shared ours', '1 own guest', '2 own guest'])
      await store.mutate('copyMessages', { account, mailbox: inbox, uids: [[1, 2]], target: sent })
      assert.deepEqual(
        [await texts(sent, account), await texts(sent, guest)],
        [['1 shared ours', '1 own mine'], ['1 shared ours']],
      )
      assert.equal((await findQuota(store.reader, account))?.usedAnnotationBytes, 4 * 12 + 2 * 13)
      await set(account, [{ ...shared, value: null }])
      assert.deepEqual(await texts(inbox, account), ['1 own mine'])
      assert.deepEqual(
        (
          await listChangedMessageAnnotations(
            store.reader,
            account,
            inbox,
            account,
            modSeq,
            Number.MAX_SAFE_INTEGER as ModSeq,
          )
        ).map(({ uid, entry }) => [uid, entry]),
        [[1, '/comment']],
      )
      await store.mutate('updateAccount', { account, quotaAnnotationBytes: 100 })
      await assert.rejects(set(account, [{ ...own, value: Buffer.alloc(100) }]), refuses('over-quota'))
      await store.mutate('expungeMessages', { account, mailbox: inbox, onlyDeleted: false })
      await store.mutate('deleteMailbox', { account, mailbox: sent })
      const rows = await store.reader.get<{ total: number }>(
        'SELECT count(*) AS total FROM message_annotation WHERE account = ?',
        account,
      )
      assert.equal(rows?.total, 0)
    })

    test('EXPUNGE takes only deleted messages, only of the given UIDs (RFC 4315 §2.1)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const flags = { system: deleted, keywords: [] }
      await store.mutate('appendMessages', {
        account,
        mailbox,
        messages: [mail(store, '1', { flags }), mail(store), mail(store, '3', { flags }), mail(store)],
      })
      const some = await store.mutate('expungeMessages', {
        account,
        mailbox,
        uids: [[2, 9]],
        onlyDeleted: true,
      })
      assert.deepEqual([...some.uids], [3])
      const rest = await store.mutate('expungeMessages', { account, mailbox, onlyDeleted: true })
      assert.deepEqual([...rest.uids], [1])
      const none = await store.mutate('expungeMessages', { account, mailbox, onlyDeleted: true })
      assert.deepEqual(none, { modSeq: rest.modSeq, uids: new Uint32Array(0) })
      await store.mutate('expungeMessages', { account, mailbox, uids: [[4, 4]], onlyDeleted: false })
      assert.deepEqual(await uidsOf(store, account, mailbox), [2])
      const { uids } = await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      assert.deepEqual(uids, [5])
    })

    test('a delivery goes to its mailbox, made when missing, or to INBOX; one that fails does not stop the others', async t => {
      const store = await open(t)
      const rich = await addAccount(store)
      const poor = await addAccount(store, { quotaMessages: 0 })
      const message = mail(store, 'to many')
      const delivery = { body: message.body, email: message.email, flags: { system: 0, keywords: ['$List'] } }
      const results = await store.mutate('deliverMessages', {
        deliveries: [
          { ...delivery, account: poor, mailbox: 'INBOX' },
          { ...delivery, account: rich, mailbox: 'Lists/restante' },
          { ...delivery, account: 999_999 as AccountId, mailbox: 'INBOX' },
          { ...delivery, account: rich, mailbox: '../../etc/passwd' },
          { ...delivery, account: rich, mailbox: 'inbox' },
        ],
      })
      assert.deepEqual(
        results.map(result => (result.kind === 'stored' ? result.uid : result.code)),
        ['over-quota', 1, 'no-such-account', 1, 2],
      )
      assert.deepEqual(
        (await listMailboxes(store.reader, rich)).map(mailbox => [mailbox.name, mailbox.total]),
        [
          ['INBOX', 2],
          ['Lists', 0],
          ['Lists/restante', 1],
          ['Sent', 0],
          ['Trash', 0],
        ],
      )
      assert.ok((await store.readBody(rich, message.body.hash)).length > 0)
      await assert.rejects(async () => store.readBody(poor, message.body.hash), refuses('no-such-body'))
    })

    test('a quota counts appended and copied messages, and is given back by expunge', async t => {
      const store = await open(t)
      const account = await addAccount(store, { quotaMessages: 3 })
      const inbox = await mailboxId(store, account, 'INBOX')
      const sent = await mailboxId(store, account, 'Sent')
      const append = (count: number) =>
        store.mutate('appendMessages', {
          account,
          mailbox: inbox,
          messages: Array.from({ length: count }, () => mail(store)),
        })
      await append(2)
      await assert.rejects(append(2), refuses('over-quota'))
      assert.deepEqual(await uidsOf(store, account, inbox), [1, 2])
      const copy = { account, mailbox: inbox, uids: [[1, 2]], target: sent } as const
      await assert.rejects(store.mutate('copyMessages', copy), refuses('over-quota'))
      await store.mutate('moveMessages', copy)
      await store.mutate('expungeMessages', { account, mailbox: sent, uids: [[1, 1]], onlyDeleted: false })
      await append(2)
      await assert.rejects(append(1), refuses('over-quota'))
    })

    test('a default quota holds for accounts without their own', async t => {
      const store = await open(t, { defaultQuota: { bytes: 10 } })
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      await assert.rejects(
        store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] }),
        refuses('over-quota'),
      )
      const roomy = await addAccount(store, { quotaBytes: 100_000 })
      const inbox = await mailboxId(store, roomy, 'INBOX')
      await store.mutate('appendMessages', { account: roomy, mailbox: inbox, messages: [mail(store)] })
    })

    test('answers to a message join its conversation, another subject begins a new one (RFC 8621 §3)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const send = (...fields: string[]) => mail(store, 'text', { fields })
      const { emails } = await store.mutate('appendMessages', {
        account,
        mailbox,
        messages: [
          send('Message-ID: <c@x>', 'In-Reply-To: <b@x>', 'Subject: Re: Lunch'),
          send('Message-ID: <a@x>', 'Subject: Lunch'),
          send('Message-ID: <b@x>', 'References: <a@x>', 'Subject: Re: Lunch'),
          send('Message-ID: <d@x>', 'References: <a@x>', 'Subject: Dinner'),
          send('Subject: Lunch'),
        ],
      })
      const threads = await Promise.all(
        emails.map(async email =>
          store.reader.get<{ thread: number }>(
            'SELECT thread FROM email WHERE account = ? AND id = ?',
            account,
            email,
          ),
        ),
      )
      const [c, a, b, d, none] = threads.map(row => row?.thread)
      assert.equal(b, a)
      assert.notEqual(d, a)
      assert.notEqual(none, a)
      assert.ok(c !== undefined)
    })

    test('claimRecent gives each message to one session', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store), mail(store)] })
      const claim = () => store.mutate('claimRecent', { account, mailbox })
      assert.deepEqual((await claim()).firstRecentUid, 1)
      assert.deepEqual((await claim()).firstRecentUid, 3)
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      assert.deepEqual((await claim()).firstRecentUid, 3)
      assert.deepEqual((await claim()).firstRecentUid, 4)
    })

    test('nothing is found in a mailbox that is not there', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const other = await addAccount(store)
      const theirs = await mailboxId(store, other, 'INBOX')
      const mailbox = 77 as MailboxId
      const calls: (() => unknown)[] = [
        () => store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] }),
        () => store.mutate('storeFlags', { account, mailbox, uids: [[1, 1]], mode: 'add', flags: noFlags }),
        () => store.mutate('copyMessages', { account, mailbox, uids: [[1, 1]], target: theirs }),
        () => store.mutate('expungeMessages', { account, mailbox, onlyDeleted: false }),
        () => store.mutate('deleteMailbox', { account, mailbox }),
        () => store.mutate('claimRecent', { account, mailbox }),
        () => store.snapshot(account, mailbox),
      ]
      for (const call of calls) await assert.rejects(async () => call(), refuses('no-such-mailbox'))
      await assert.rejects(
        async () => store.readBody(account, 'ab'.repeat(32) as BlobHash),
        refuses('no-such-body'),
      )
      await assert.rejects(
        store.mutate('createMailbox', { account: 12345 as AccountId, name: 'x' }),
        refuses('no-such-account'),
      )
    })

    test('changes of flags that are asked for at once are answered each for itself, those that are refused too', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const messages = Array.from({ length: 6 }, () => mail(store))
      await store.mutate('appendMessages', { account, mailbox, messages })
      const setFlag = (uid: number, flags: FlagSet, into: MailboxId = mailbox) =>
        store.mutate('storeFlags', { account, mailbox: into, uids: [[uid, uid]], mode: 'add', flags })
      const starred: FlagSet = { system: flagged, keywords: [] }
      const named: FlagSet = { system: 0, keywords: ['$A'] }
      const nowhere = 999 as MailboxId
      const ends = await Promise.allSettled([
        ...[1, 2, 4, 9].map(uid => setFlag(uid, starred)),
        ...[1, 2].map(uid => setFlag(uid, starred, nowhere)),
        ...[2, 3].map(uid => setFlag(uid, named)),
        ...[3, 3].map(uid => setFlag(uid, starred)),
      ])
      assert.deepEqual(
        ends.map(end => (end.status === 'fulfilled' ? numbersOf(end.value.changed) : end.status)),
        [[1], [2], [4], [], 'rejected', 'rejected', [2], [3], [3], []],
      )
      assert.deepEqual(
        (await flagsOf(store, account, mailbox)).map(([, system, keywords]) => [system, keywords]),
        [
          [4, ''],
          [4, '$A'],
          [4, '$A'],
          [4, ''],
          [0, ''],
          [0, ''],
        ],
      )
    })

    test('keywords are bounded, and a refused change leaves nothing behind', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      const setFlags = (keywords: string[]) =>
        store.mutate('storeFlags', {
          account,
          mailbox,
          uids: [[1, 1]],
          mode: 'replace',
          flags: { system: 0, keywords },
        })
      await setFlags(Array.from({ length: limits.mailbox.keywordsPerMessage }, (_, i) => `k${i}`))
      const longest = Array.from({ length: limits.mailbox.keywordsPerMessage }, (_, i) =>
        `l${i}`.padEnd(limits.mailbox.keywordBytes, randomBytes(limits.mailbox.keywordBytes).toString('hex')),
      )
      await setFlags(longest)
      const [before] = await flagsOf(store, account, mailbox)
      assert.deepEqual(before?.[2].split(' '), longest.toSorted())
      await setFlags(longest.toReversed())
      assert.deepEqual(await flagsOf(store, account, mailbox), [before])
      await assert.rejects(
        setFlags(Array.from({ length: limits.mailbox.keywordsPerMessage + 1 }, (_, i) => `n${i}`)),
        refuses('too-many'),
      )
      await setFlags(['x'.repeat(limits.mailbox.keywordBytes)])
      await assert.rejects(setFlags(['x'.repeat(limits.mailbox.keywordBytes + 1)]), refuses('too-many'))
      await assert.rejects(setFlags(['a b']), refuses('too-many'))
      await setFlags(['__proto__', 'constructor', 'toString'])
      assert.deepEqual((await flagsOf(store, account, mailbox))[0]?.[2], '__proto__ constructor toString')
    })
  })

  describe(`${name}: mailboxes`, () => {
    test('CREATE makes the parents, each with a UIDVALIDITY of its own', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const made = await store.mutate('createMailbox', { account, name: 'a/b/c' })
      const mailboxes = await listMailboxes(store.reader, account)
      assert.deepEqual(
        mailboxes.map(mailbox => mailbox.name),
        ['INBOX', 'Sent', 'Trash', 'a', 'a/b', 'a/b/c'],
      )
      assert.equal(new Set(mailboxes.map(mailbox => mailbox.uidValidity)).size, 6)
      assert.equal(mailboxes.find(mailbox => mailbox.name === 'a/b/c')?.id, made.mailbox)
      await assert.rejects(store.mutate('createMailbox', { account, name: 'a/b' }), refuses('mailbox-exists'))
      await assert.rejects(
        store.mutate('createMailbox', { account, name: 'iNbOx' }),
        refuses('mailbox-exists'),
      )
      await assert.rejects(store.mutate('createMailbox', { account, name: 'a//b' }), refuses('invalid-name'))
    })

    test('a mailbox that is deleted and made again has another UIDVALIDITY and id (RFC 9051 §2.3.1.1)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const seenValidities = new Set<number>()
      const seenIds = new Set<number>()
      for (let i = 0; i < 5; i++) {
        const { mailbox, uidValidity } = await store.mutate('createMailbox', { account, name: 'again' })
        await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
        seenValidities.add(uidValidity)
        seenIds.add(mailbox)
        await store.mutate('deleteMailbox', { account, mailbox })
        await assert.rejects(async () => store.snapshot(account, mailbox), refuses('no-such-mailbox'))
      }
      assert.deepEqual([seenValidities.size, seenIds.size], [5, 5])
    })

    test('memory of a mailbox is let go when it is deleted', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const { mailbox } = await store.mutate('createMailbox', { account, name: 'brief' })
      const inbox = await mailboxId(store, account, 'INBOX')
      const [gone, kept] = [
        new WeakRef(await store.snapshot(account, mailbox)),
        new WeakRef(await store.snapshot(account, inbox)),
      ]
      await store.mutate('deleteMailbox', { account, mailbox })
      await nextTurn()
      collectGarbage()
      assert.equal(gone.deref(), undefined)
      assert.notEqual(kept.deref(), undefined)
    })

    test('DELETE keeps the mailboxes below, gives the room back, and leaves INBOX alone', async t => {
      const store = await open(t)
      const account = await addAccount(store, { quotaMessages: 1 })
      const { mailbox } = await store.mutate('createMailbox', { account, name: 'p' })
      await store.mutate('createMailbox', { account, name: 'p/q' })
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      await store.mutate('deleteMailbox', { account, mailbox })
      const names = (await listMailboxes(store.reader, account)).map(row => row.name)
      assert.deepEqual(names, ['INBOX', 'Sent', 'Trash', 'p/q'])
      const inbox = await mailboxId(store, account, 'INBOX')
      await store.mutate('appendMessages', { account, mailbox: inbox, messages: [mail(store)] })
      await assert.rejects(
        store.mutate('deleteMailbox', { account, mailbox: inbox }),
        refuses('invalid-name'),
      )
    })

    test('RENAME takes the mailboxes below along and keeps ids, UIDs and UIDVALIDITY (RFC 9051 §6.3.6)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const { mailbox, uidValidity } = await store.mutate('createMailbox', { account, name: 'old' })
      const child = await store.mutate('createMailbox', { account, name: 'old/ä/b' })
      await store.mutate('createMailbox', { account, name: 'older' })
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      await store.mutate('renameMailbox', { account, from: 'old', to: 'new/place' })
      const names = (await listMailboxes(store.reader, account)).map(row => row.name)
      assert.deepEqual(names, [
        'INBOX',
        'Sent',
        'Trash',
        'new',
        'new/place',
        'new/place/ä',
        'new/place/ä/b',
        'older',
      ])
      const moved = await findMailbox(store.reader, account, 'new/place')
      assert.deepEqual([moved?.id, moved?.uidValidity, moved?.total], [mailbox, uidValidity, 1])
      assert.equal((await findMailbox(store.reader, account, 'new/place/ä/b'))?.id, child.mailbox)
      const rename = (from: string, to: string) => store.mutate('renameMailbox', { account, from, to })
      await assert.rejects(rename('new', 'new/deeper'), refuses('invalid-name'))
      await assert.rejects(rename('new', 'older'), refuses('mailbox-exists'))
      await assert.rejects(rename('missing', 'x'), refuses('no-such-mailbox'))
      await assert.rejects(rename('older', 'a//b'), refuses('invalid-name'))
    })

    test('renaming INBOX moves its messages and leaves it empty (RFC 9051 §6.3.6)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const inbox = await mailboxId(store, account, 'INBOX')
      await store.mutate('createMailbox', { account, name: 'INBOX/below' })
      await store.mutate('appendMessages', { account, mailbox: inbox, messages: [mail(store), mail(store)] })
      const { mailbox } = await store.mutate('renameMailbox', { account, from: 'inbox', to: 'archive/2026' })
      assert.deepEqual(await uidsOf(store, account, inbox), [])
      assert.deepEqual(await uidsOf(store, account, mailbox), [1, 2])
      assert.ok(await findMailbox(store.reader, account, 'INBOX/below'))
    })

    test('a special use belongs to one mailbox (RFC 6154)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const sent = await mailboxId(store, account, 'Sent')
      const create = (specialUse: string) =>
        store.mutate('createMailbox', { account, name: 'S2', specialUse })
      await assert.rejects(create('\\Sent'), refuses('special-use-taken'))
      await assert.rejects(create('\\Nonsense'), refuses('invalid-name'))
      await store.mutate('setSpecialUse', { account, mailbox: sent, specialUse: undefined })
      await create('\\Sent')
      assert.equal((await findMailbox(store.reader, account, 'S2'))?.specialUse, '\\Sent')
      await assert.rejects(
        store.mutate('setSpecialUse', { account, mailbox: sent, specialUse: '\\Sent' }),
        refuses('special-use-taken'),
      )
    })

    test('subscriptions are of names, whether a mailbox has them or not (RFC 9051 §6.3.7)', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const subscribe = (mailbox: string, subscribed: boolean) =>
        store.mutate('setSubscription', { account, name: mailbox, subscribed })
      await subscribe('not/there', true)
      await subscribe('not/there', true)
      await subscribe('Sent', false)
      assert.deepEqual(await listSubscriptions(store.reader, account), ['INBOX', 'Trash', 'not/there'])
      await assert.rejects(subscribe('a\0b', true), refuses('invalid-name'))
    })

    test('the count of mailboxes is bounded', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const deep = Array.from({ length: limits.mailbox.depth }, (_, i) => `${i}`).join('/')
      await store.mutate('createMailbox', { account, name: deep })
      await assert.rejects(
        store.mutate('createMailbox', { account, name: `${deep}/x` }),
        refuses('invalid-name'),
      )
    })
  })

  describe(`${name}: snapshots and hints`, () => {
    test('changesAfter tells what is new, changed and gone since any modSeq', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const append = await store.mutate('appendMessages', {
        account,
        mailbox,
        messages: Array.from({ length: 10 }, () => mail(store)),
      })
      const first = await store.snapshot(account, mailbox)
      const keptUids = first.uids
      const change = await store.mutate('storeFlags', {
        account,
        mailbox,
        uids: [
          [2, 3],
          [9, 9],
        ],
        mode: 'add',
        flags: { system: seen, keywords: [] },
      })
      await store.mutate('expungeMessages', { account, mailbox, uids: [[1, 2]], onlyDeleted: false })
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      const second = await store.snapshot(account, mailbox)
      const delta = await second.changesAfter(append.modSeq)
      assert.deepEqual(
        delta.vanished.map(gone => gone.uid),
        [1, 2],
      )
      assert.deepEqual(
        delta.changed.map(position => second.uids.at(position)),
        [3, 9, 11],
      )
      assert.equal(delta.modSeq, second.modSeq)
      assert.ok(delta.isComplete)
      const later = await second.changesAfter(change.modSeq)
      assert.deepEqual(
        later.changed.map(position => second.uids.at(position)),
        [11],
      )
      const all = await second.changesAfter(0 as ModSeq)
      assert.equal(all.changed.length, 9)
      assert.deepEqual(
        all.vanished.map(gone => gone.uid),
        [1, 2],
      )
      assert.deepEqual((await second.changesAfter(second.modSeq)).changed, [])
      assert.deepEqual(second.changedAfter(append.modSeq), delta.changed)
      // What was given out before keeps its UIDs.
      assert.deepEqual(valuesOf(keptUids, first.count), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      assert.deepEqual(
        [second.positionOf(3), second.positionOf(2), second.lowerBound(2), second.lowerBound(99)],
        [0, -1, 0, 9],
      )
    })

    test('the same snapshot is given while nothing changes', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      assert.equal(await store.snapshot(account, mailbox), await store.snapshot(account, mailbox))
    })

    test('a snapshot under a tiny memory bound is still right', async t => {
      const store = await open(t, { snapshotBytes: 0 })
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      assert.deepEqual(await uidsOf(store, account, mailbox), [1])
    })

    test('watchers hear of their account after the commit, until they leave', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const other = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const heard: ChangeHint[] = []
      const othersHeard: ChangeHint[] = []
      const leave = store.watch(account, hint => heard.push(hint))
      store.watch(other, hint => othersHeard.push(hint))
      store.watch(account, () => {
        throw new Error('a watcher that fails')
      })
      const { modSeq } = await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      assert.deepEqual(heard.at(-1), { account, modSeq })
      assert.deepEqual(othersHeard, [])
      leave()
      const count = heard.length
      await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
      assert.equal(heard.length, count)
    })
  })

  describe(`${name}: bodies`, () => {
    for (const size of [
      0,
      1,
      limits.store.inlineBodyBytes,
      limits.store.inlineBodyBytes + 1,
      limits.store.ownSegmentBytes,
      limits.store.ownSegmentBytes + 1,
    ]) {
      test(`a staged body of ${size} bytes comes back whole and in parts`, async t => {
        const store = await open(t)
        const account = await addAccount(store)
        const mailbox = await mailboxId(store, account, 'INBOX')
        const bytes = Buffer.alloc(size)
        for (let i = 0; i < size; i++) bytes[i] = (i * 7 + (i >> 8)) & 0xff
        const staged = store.stageBody()
        const chunk = Buffer.alloc(50_000)
        for (let at = 0; at < size; at += chunk.length) {
          const part = bytes.subarray(at, at + chunk.length)
          part.copy(chunk)
          await staged.write(chunk.subarray(0, part.length))
          chunk.fill(0)
        }
        const body = await staged.finish()
        assert.equal(staged.sizeBytes, size)
        assert.equal(body.hash, store.bodyOf(bytes).hash)
        assert.ok((await staged.bytes()).equals(bytes))
        const { email } = mail(store)
        const message = { body, email, flags: noFlags }
        await store.mutate('appendMessages', { account, mailbox, messages: [message, message] })
        staged.discard()
        staged.discard()
        assert.ok((await store.readBody(account, body.hash)).equals(bytes))
        const part = await store.readBody(account, body.hash, size >> 1, (size >> 1) + 100)
        assert.ok(part.equals(bytes.subarray(size >> 1, (size >> 1) + 100)))
      })
    }

    test('a body that is refused with its message can be given again', async t => {
      const store = await open(t)
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const staged = store.stageBody()
      const bytes = Buffer.alloc(limits.store.ownSegmentBytes + 10, 'x')
      await staged.write(bytes)
      const body = await staged.finish()
      const messages = [{ body, email: mail(store).email, flags: noFlags }]
      await assert.rejects(
        store.mutate('appendMessages', { account, mailbox: 99 as MailboxId, messages }),
        refuses('no-such-mailbox'),
      )
      await store.mutate('appendMessages', { account, mailbox, messages })
      staged.discard()
      assert.ok((await store.readBody(account, body.hash)).equals(bytes))
    })
  })

  if (takesClock) {
    test(`${name}: an expunged email can be read for a while; then it is gone, and the room of its body is given back`, async t => {
      const clock = { ms: 1_000_000, now: () => clock.ms }
      const store = await open(t, { clock })
      const account = await addAccount(store)
      const mailbox = await mailboxId(store, account, 'INBOX')
      const sent = await mailboxId(store, account, 'Sent')
      const fields = ['Message-ID: <thread@x>', 'Subject: Same']
      const gone = mail(store, 'x'.repeat(5000), { fields })
      const copied = mail(store, 'y'.repeat(5000))
      const { emails } = await store.mutate('appendMessages', { account, mailbox, messages: [gone, copied] })
      await store.mutate('copyMessages', { account, mailbox, uids: [[2, 2]], target: sent })
      await store.mutate('expungeMessages', { account, mailbox, uids: [[1, 2]], onlyDeleted: false })
      await store.maintain()
      assert.ok((await store.readBody(account, gone.body.hash)).length > 5000)
      clock.ms += limits.store.orphanGraceMs + 1
      await store.maintain()
      await assert.rejects(async () => store.readBody(account, gone.body.hash), refuses('no-such-body'))
      assert.ok((await store.readBody(account, copied.body.hash)).length > 5000)
      const left = await store.reader.all<{ id: number }>('SELECT id FROM email WHERE account = ?', account)
      assert.deepEqual(
        left.map(row => row.id),
        [emails[1]],
      )
      // The conversation is gone with its last email: its ids begin a new one.
      const answer = mail(store, 'again', { fields: ['References: <thread@x>', 'Subject: Re: Same'] })
      await store.mutate('appendMessages', { account, mailbox, messages: [answer] })
      const threads = await store.reader.all<{ thread: number }>(
        'SELECT thread FROM email WHERE account = ?',
        account,
      )
      assert.ok(!threads.some(row => row.thread === 1))
    })
  }

  test(`${name}: a closed store refuses changes as unavailable, and closing lets what waits commit`, async t => {
    const store = await open(t)
    const account = await addAccount(store)
    const mailbox = await mailboxId(store, account, 'INBOX')
    const append = store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
    const closing = store.close()
    assert.deepEqual((await append).uids, [1 as Uid])
    await closing
    await store.close()
    await assert.rejects(store.mutate('createMailbox', { account, name: 'x' }), refuses('unavailable'))
  })

  test(`${name}: an error that is a bug reaches the caller and nobody else`, async t => {
    const store = await open(t)
    const account = await addAccount(store)
    const mailbox = await mailboxId(store, account, 'INBOX')
    const bad = store.mutate('storeFlags', {
      account,
      mailbox,
      uids: [[1, { not: 'a number' } as unknown as number]],
      mode: 'add',
      flags: noFlags,
    })
    const good = store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
    await assert.rejects(bad)
    assert.deepEqual((await good).emails, [1 as EmailId])
  })
}
