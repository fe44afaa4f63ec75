// What every store must do with mailboxes that accounts share. RFC 4314.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AccountId, MailboxId, ModSeq, Uid } from '../../src/base/ids.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import { StoreError } from '../../src/store/error.ts'
import { deleted, flagged, noFlags, seen, systemMask } from '../../src/store/flags.ts'
import { anyone, findRights, findShared, listAcl, listShared } from '../../src/store/read/acl.ts'
import { findAccount } from '../../src/store/read/account.ts'
import { findMailbox, listMailboxes } from '../../src/store/read/mailboxes.ts'
import { allRights, combineRights, type Rights, rightBits, rightsOf } from '../../src/store/rights.ts'
import { GuestMailbox } from '../../src/store/snapshots/guest-mailbox.ts'
import type { Store } from '../../src/store/store.ts'
import type { StoreOpener } from './conformance.ts'
import { addAccount, mail, mailboxId } from './fixture.ts'

type Grant = (grantee: AccountId, rights: string, isNegative?: boolean) => Promise<void>

function granter(store: Store, account: AccountId, mailbox: MailboxId): Grant {
  return async (grantee, rights, isNegative = false) => {
    await store.mutate('setRights', {
      account,
      mailbox,
      grantee,
      isNegative,
      mode: 'replace',
      rights: rightsOf(rights),
    })
  }
}

export function sharingConformance(name: string, open: StoreOpener): void {
  describe(`${name}: sharing`, () => {
    test('rights are what is given to somebody and to anyone, without what is taken away', async t => {
      const store = await open(t)
      const [owner, guest] = [await addAccount(store), await addAccount(store)]
      const inbox = await mailboxId(store, owner, 'INBOX')
      const grant = granter(store, owner, inbox)
      const rights = () => findRights(store.reader, owner, inbox, guest)
      assert.equal(await rights(), 0)
      await grant(guest, 'lrw')
      await grant(anyone, 'rs')
      assert.equal(await rights(), rightsOf('lrsw'))
      await grant(guest, 'w', true)
      await grant(anyone, 'l', true)
      assert.equal(await rights(), rightsOf('rs'))
      assert.equal(await findRights(store.reader, owner, inbox, owner), allRights)
      assert.equal((await listAcl(store.reader, owner, inbox)).length, 4)
      await grant(guest, '')
      await grant(guest, '', true)
      assert.equal(await rights(), rightsOf('rs'))
    })

    test('what others share is found by owner and name, and listed for the guest alone', async t => {
      const store = await open(t)
      const [owner, guest, other] = [
        await addAccount(store),
        await addAccount(store),
        await addAccount(store),
      ]
      const sent = await mailboxId(store, owner, 'Sent')
      await granter(store, owner, sent)(guest, 'lr')
      const address = (await findAccount(store.reader, owner))?.address ?? ''
      const find = (who: AccountId, kind: 'person' | 'shared' = 'person', mailbox = 'Sent') =>
        findShared(store.reader, who, { address, kind }, mailbox)
      assert.equal((await find(guest))?.rights, rightsOf('lr'))
      assert.equal((await find(guest))?.specialUse, null)
      assert.equal(await find(guest, 'shared'), undefined)
      assert.equal(await find(guest, 'person', 'INBOX'), undefined)
      assert.equal(await find(other), undefined)
      assert.equal(await find(owner), undefined)
      const names = async (who: AccountId) =>
        // Other tests may have shared theirs with anyone.
        (await listShared(store.reader, who))
          .filter(mailbox => mailbox.account === owner)
          .map(mailbox => mailbox.name)
      assert.deepEqual(await names(guest), ['Sent'])
      assert.deepEqual(await names(other), [])
      await granter(store, owner, sent)(anyone, 'l')
      assert.deepEqual(await names(other), ['Sent'])
      assert.deepEqual(await names(owner), [])
    })

    test('a removed account leaves no rights behind, and one of the same address gets none', async t => {
      const store = await open(t)
      const [owner, guest] = [await addAccount(store), await addAccount(store)]
      const address = (await findAccount(store.reader, guest))?.address ?? ''
      const inbox = await mailboxId(store, owner, 'INBOX')
      await granter(store, owner, inbox)(guest, 'lrs')
      await store.mutate('appendMessages', { account: owner, mailbox: inbox, messages: [mail(store)] })
      await store.mutate('storeGuestFlags', {
        guest,
        account: owner,
        mailbox: inbox,
        uids: [[1, 1]],
        mode: 'add',
        flags: { system: seen, keywords: [] },
      })
      await removeAccount(store, guest)
      const { account: later } = await store.mutate('createAccount', {
        address,
        domain: 'example.org',
        createDomain: false,
        displayName: '',
        isAdmin: false,
        credentials: [],
        mailboxes: [{ name: 'INBOX' }],
      })
      assert.equal(await findRights(store.reader, owner, inbox, later), 0)
      assert.deepEqual(await listAcl(store.reader, owner, inbox), [])
      for (const table of ['acl', 'guest', 'guest_seen'])
        assert.deepEqual(
          await store.reader.all(`SELECT 1 AS one FROM ${table} WHERE account = ?`, owner),
          [],
          table,
        )
      // And the other way round: what a removed owner has shared is gone for its guests at once.
      await granter(store, owner, inbox)(later, 'lr')
      await store.mutate('beginAccountRemoval', { account: owner })
      const shared = await listShared(store.reader, later)
      assert.ok(shared.every(mailbox => mailbox.account !== owner))
    })

    test('a new mailbox has the rights of the one above; a deleted one leaves none; a renamed one keeps its own', async t => {
      const store = await open(t)
      const [account, guest] = [await addAccount(store), await addAccount(store)]
      const { mailbox } = await store.mutate('createMailbox', { account, name: 'team' })
      await granter(store, account, mailbox)(guest, 'lrk')
      await granter(store, account, mailbox)(anyone, 'k', true)
      const below = await store.mutate('createMailbox', { account, name: 'team/a/b' })
      const rights = (id: MailboxId) => findRights(store.reader, account, id, guest)
      assert.equal(await rights(below.mailbox), rightsOf('lr'))
      await store.mutate('renameMailbox', { account, from: 'team/a/b', to: 'elsewhere' })
      assert.equal(await rights(below.mailbox), rightsOf('lr'))
      await store.mutate('deleteMailbox', { account, mailbox: below.mailbox })
      assert.equal(await rights(below.mailbox), 0)
      const top = await store.mutate('createMailbox', { account, name: 'elsewhere' })
      assert.equal(await rights(top.mailbox), 0)
    })

    test('a change by a guest whose rights have gone meanwhile changes nothing', async t => {
      const store = await open(t)
      const [account, guest] = [await addAccount(store), await addAccount(store)]
      const inbox = await mailboxId(store, account, 'INBOX')
      const own = await mailboxId(store, guest, 'INBOX')
      const place = { account, mailbox: inbox }
      await store.mutate('appendMessages', { ...place, messages: [mail(store)] })
      const before = JSON.stringify(await listMailboxes(store.reader, account))
      const flags = { system: deleted, keywords: [] }
      const attempts = [
        () => store.mutate('storeGuestFlags', { ...place, guest, uids: [[1, 1]], mode: 'add', flags }),
        () => store.mutate('appendAsGuest', { ...place, guest, messages: [mail(store)] }),
        () =>
          store.mutate('transferMessages', {
            actor: guest,
            source: place,
            uids: [[1, 1]],
            target: { account: guest, mailbox: own },
            isMove: false,
          }),
        () =>
          store.mutate('asGuest', {
            guest,
            needs: [{ ...place, rights: rightBits.e }],
            call: { name: 'expungeMessages', args: { ...place, onlyDeleted: false } },
          }),
        () =>
          store.mutate('replaceAsGuest', {
            guest,
            source: place,
            uid: 1 as Uid,
            target: { account: guest, mailbox: own },
            message: mail(store),
          }),
      ]
      for (const attempt of attempts)
        await assert.rejects(attempt, (error: unknown) => {
          assert.ok(error instanceof StoreError)
          return error.code === 'no-such-mailbox'
        })
      assert.equal(JSON.stringify(await listMailboxes(store.reader, account)), before)
      assert.equal((await findMailbox(store.reader, guest, 'INBOX'))?.total, 0)
    })

    test('a body that was copied from another account is read after its first owner has gone', async t => {
      const store = await open(t)
      const [account, guest] = [await addAccount(store), await addAccount(store)]
      const place = { account, mailbox: await mailboxId(store, account, 'INBOX') }
      const own = { account: guest, mailbox: await mailboxId(store, guest, 'INBOX') }
      // One that lies in a row of its own, and one that does not.
      const sizes = [100, 900_000]
      for (const size of sizes)
        await store.mutate('appendMessages', { ...place, messages: [mail(store, 'x'.repeat(size))] })
      await granter(store, account, place.mailbox)(guest, 'lr')
      await store.mutate('transferMessages', {
        actor: guest,
        source: place,
        uids: [[1, 2]],
        target: own,
        isMove: false,
      })
      await removeAccount(store, account)
      await store.maintain()
      const rows = await store.reader.all<{ blob: Uint8Array; size: number }>(
        'SELECT blob, size_bytes AS size FROM email WHERE account = ? ORDER BY id',
        guest,
      )
      assert.equal(rows.length, 2)
      for (const [index, { blob, size }] of rows.entries()) {
        const bytes = await store.readBody(guest, Buffer.from(blob).toString('hex') as never)
        assert.equal(bytes.length, size)
        assert.ok(bytes.toString('latin1').endsWith(`${'x'.repeat(sizes[index] ?? 0)}\r\n`))
      }
    })

    test('random rights and changes of three accounts are what a naive model says, and deltas lead there', async t => {
      const store = await open(t)
      await playRandomly(store, 20_261_125)
    })
  })
}

interface Message {
  flags: number
  seenBy: Set<AccountId>
}

interface Box {
  readonly account: AccountId
  readonly mailbox: MailboxId
  readonly entries: Map<string, Rights>
  readonly messages: Map<number, Message>
  next: number
}

/** What one account has been told of a mailbox: brought up to date by deltas only. */
interface Mirror {
  modSeq: ModSeq
  readonly known: Map<number, { flags: number; modSeq: number }>
}

async function playRandomly(store: Store, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const people = [await addAccount(store), await addAccount(store), await addAccount(store)]
  const boxes: Box[] = []
  for (const account of people.slice(0, 2))
    for (const name of ['INBOX', 'Sent'])
      boxes.push({
        account,
        mailbox: await mailboxId(store, account, name),
        entries: new Map(),
        messages: new Map(),
        next: 1,
      })
  const mirrors = new Map<string, Mirror>()
  const some = () => Math.floor(random() * (allRights + 1))
  const rightsIn = ({ account, entries }: Box, who: AccountId): Rights =>
    who === account
      ? allRights
      : combineRights(
          [...entries].flatMap(([key, rights]) => {
            const [grantee, kind] = key.split('/')
            return Number(grantee) === anyone || Number(grantee) === who
              ? [{ isNegative: kind === '-', rights }]
              : []
          }),
        )
  const keyOf = ({ account, mailbox }: Box) => ({ account, mailbox })
  const allowed = (flags: number, rights: Rights) =>
    flags & ((rights & rightBits.w ? flagged : 0) | (rights & rightBits.t ? deleted : 0))
  /** Adds a message that `who` puts there. */
  const put = (box: Box, who: AccountId, flags: number, isSeenByWho: boolean, ownerSaw: boolean) => {
    const rights = rightsIn(box, who)
    const seenBy = new Set<AccountId>()
    if (isSeenByWho && (who === box.account || rights & rightBits.s)) seenBy.add(who)
    if (ownerSaw) seenBy.add(box.account)
    box.messages.set(box.next++, { flags: allowed(flags, rights), seenBy })
  }
  const refused = async (isExpected: boolean, change: () => Promise<unknown>) => {
    if (!isExpected) return change()
    await assert.rejects(change, (error: unknown) => error instanceof StoreError)
    return undefined
  }

  for (let step = 0; step < 400; step++) {
    const who = pick(people)
    const box = pick(boxes)
    const rights = rightsIn(box, who)
    const uids = [...box.messages.keys()].filter(() => random() < 0.4)
    const ranges = uids.map(uid => [uid, uid] as const)
    switch (Math.floor(random() * 6)) {
      case 0: {
        const grantee = pick([anyone, ...people.filter(person => person !== box.account)])
        const isNegative = random() < 0.25
        // Mostly much, so that something happens.
        const given = random() < 0.5 ? allRights : some()
        await store.mutate('setRights', {
          ...keyOf(box),
          grantee,
          isNegative,
          mode: 'replace',
          rights: given,
        })
        box.entries.set(`${grantee}/${isNegative ? '-' : '+'}`, given)
        break
      }
      case 1: {
        const flags = pick([0, seen, seen | flagged, deleted, flagged])
        const messages = [{ ...mail(store), flags: { system: flags, keywords: [] } }]
        const mayInsert = (rights & rightBits.i) !== 0
        await refused(!mayInsert, () =>
          who === box.account
            ? store.mutate('appendMessages', { ...keyOf(box), messages })
            : store.mutate('appendAsGuest', { ...keyOf(box), guest: who, messages }),
        )
        if (mayInsert) put(box, who, flags, (flags & seen) !== 0, false)
        break
      }
      case 2:
      case 3: {
        const mode = pick(['add', 'remove', 'replace'] as const)
        const system = pick([seen, flagged, deleted, seen | flagged, 0])
        const change = { ...keyOf(box), uids: ranges, mode, flags: { ...noFlags, system } }
        const mayRead = (rights & rightBits.r) !== 0
        await refused(!mayRead, () =>
          who === box.account
            ? store.mutate('storeFlags', change)
            : store.mutate('storeGuestFlags', { ...change, guest: who }),
        )
        if (!mayRead) break
        const mask = allowed(flagged | deleted, rights)
        for (const uid of uids) {
          const message = box.messages.get(uid) as Message
          const wanted =
            mode === 'add' ? message.flags | system : mode === 'remove' ? message.flags & ~system : system
          message.flags = (message.flags & ~mask) | (wanted & mask)
          if ((rights & rightBits.s) === 0 && who !== box.account) continue
          if (mode === 'replace' || system & seen) {
            if (mode !== 'remove' && system & seen) message.seenBy.add(who)
            else message.seenBy.delete(who)
          }
        }
        break
      }
      case 4: {
        const target = pick(boxes)
        const isMove = random() < 0.5
        const needed = rightBits.r | (isMove ? rightBits.t | rightBits.e : 0)
        const isAllowed =
          (rights & needed) === needed && (rightsIn(target, who) & rightBits.i) !== 0 && target !== box
        if (target === box) break
        const isOwn = who === box.account && who === target.account
        await refused(!isAllowed, () =>
          isOwn
            ? store.mutate(isMove ? 'moveMessages' : 'copyMessages', {
                ...keyOf(box),
                uids: ranges,
                target: target.mailbox,
              })
            : store.mutate('transferMessages', {
                actor: who,
                source: keyOf(box),
                uids: ranges,
                target: keyOf(target),
                isMove,
              }),
        )
        if (!isAllowed) break
        for (const uid of uids) {
          const message = box.messages.get(uid) as Message
          const ownerSaw = box.account === target.account && message.seenBy.has(box.account)
          put(target, who, message.flags, message.seenBy.has(who), ownerSaw)
          if (isMove) box.messages.delete(uid)
        }
        break
      }
      default: {
        const mayExpunge = (rights & rightBits.e) !== 0
        const args = { ...keyOf(box), onlyDeleted: true }
        await refused(!mayExpunge, () =>
          who === box.account
            ? store.mutate('expungeMessages', args)
            : store.mutate('asGuest', {
                guest: who,
                needs: [{ ...keyOf(box), rights: rightBits.e }],
                call: { name: 'expungeMessages', args },
              }),
        )
        if (mayExpunge)
          for (const [uid, { flags }] of box.messages) if (flags & deleted) box.messages.delete(uid)
      }
    }
    const looker = pick(people)
    await compare(pick(boxes), looker)
  }
  for (const box of boxes) for (const person of people) await compare(box, person)

  async function compare(box: Box, who: AccountId): Promise<void> {
    const rights = rightsIn(box, who)
    assert.equal(await findRights(store.reader, box.account, box.mailbox, who), rights)
    const expected = [...box.messages].map(([uid, message]) => [
      uid,
      message.flags | (message.seenBy.has(who) ? seen : 0),
    ])
    const isOwner = who === box.account
    const guest = new GuestMailbox(store, { account: box.account, id: box.mailbox }, who)
    if (!isOwner && (rights & rightBits.r) === 0) {
      await assert.rejects(() => guest.refresh())
      return
    }
    const snapshot = isOwner ? await store.snapshot(box.account, box.mailbox) : await guest.refresh()
    const found = Array.from({ length: snapshot.count }, (_, at) => [
      snapshot.uids.at(at),
      snapshot.flags.at(at) & systemMask,
    ])
    assert.deepEqual(found, expected)
    const listed = isOwner
      ? (await listMailboxes(store.reader, who)).find(({ id }) => id === box.mailbox)
      : (await listShared(store.reader, who)).find(
          mailbox => mailbox.account === box.account && mailbox.id === box.mailbox,
        )
    assert.equal(listed?.total, expected.length)
    assert.equal(listed.unseen, expected.filter(([, flags]) => ((flags as number) & seen) === 0).length)
    assert.equal(listed.modSeq, snapshot.modSeq)
    // Who knows an older state gets here by what changed since, and modSeqs only grow.
    const key = `${box.account}/${box.mailbox}/${who}`
    const mirror: Mirror = mirrors.get(key) ?? { modSeq: 0 as ModSeq, known: new Map() }
    mirrors.set(key, mirror)
    assert.ok(snapshot.modSeq >= mirror.modSeq)
    const delta = await snapshot.changesAfter(mirror.modSeq)
    for (const { uid } of delta.vanished) mirror.known.delete(uid)
    for (const at of delta.changed) {
      const uid = snapshot.uids.at(at)
      const modSeq = snapshot.modSeqs.at(at)
      assert.ok(modSeq > mirror.modSeq && modSeq <= snapshot.modSeq)
      assert.ok(modSeq >= (mirror.known.get(uid)?.modSeq ?? 0))
      mirror.known.set(uid, { flags: snapshot.flags.at(at) & systemMask, modSeq })
    }
    mirror.modSeq = snapshot.modSeq
    assert.deepEqual(
      [...mirror.known]
        .map(([uid, { flags }]) => [uid, flags])
        .sort((a, b) => (a[0] as number) - (b[0] as number)),
      expected,
    )
  }
}

/** Numbers from 0 to 1, the same for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
