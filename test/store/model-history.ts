// Random histories: the real store and a naive one give the same answers, and a client that follows `changesAfter` from any point converges.
import assert from 'node:assert/strict'
import type { AccountId, MailboxId, ModSeq } from '../../src/base/ids.ts'
import { StoreError } from '../../src/store/error.ts'
import { type FlagSet, systemFlags } from '../../src/store/flags.ts'
import type { MailboxSnapshot } from '../../src/store/mailbox-snapshot.ts'
import { listMailboxes } from '../../src/store/read/mailboxes.ts'
import type { Store } from '../../src/store/store.ts'
import { numbersOf, type UidRanges } from '../../src/store/uid-ranges.ts'
import { addAccount, mail } from './fixture.ts'
import { flagLine, ModelAccount, type ModelMailbox } from './model.ts'

type Random = (below: number) => number

function makeRandom(seed: number): Random {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below)
  }
}

const flagNames = [...Object.keys(systemFlags), '$Work', '$Junk', 'later']
const names = ['INBOX', 'a', 'a/b', 'a/b/c', 'd', 'é', 'Sent', 'x/y']

function toFlagSet(flags: ReadonlySet<string>): FlagSet {
  let system = 0
  const keywords: string[] = []
  for (const flag of flags) {
    if (flag in systemFlags) system |= systemFlags[flag as keyof typeof systemFlags]
    else keywords.push(flag)
  }
  return { system, keywords }
}

function toLine(snapshot: MailboxSnapshot, flags: number): string {
  const system = Object.entries(systemFlags).filter(([, bit]) => (flags & bit) !== 0)
  return flagLine(new Set([...system.map(([flag]) => flag), ...snapshot.keywordsOf(flags)]))
}

/** A client that remembers what it was told. */
class Client {
  readonly mailbox: ModelMailbox
  modSeq = 0
  known = new Map<number, string>()

  constructor(mailbox: ModelMailbox) {
    this.mailbox = mailbox
  }

  async follow(snapshot: MailboxSnapshot): Promise<void> {
    const delta = await snapshot.changesAfter(this.modSeq as ModSeq)
    if (delta.isComplete) for (const { uid } of delta.vanished) this.known.delete(uid)
    else for (const uid of this.known.keys()) if (snapshot.positionOf(uid) < 0) this.known.delete(uid)
    for (const position of delta.changed) {
      const uid = snapshot.uids.at(position)
      this.known.set(uid, toLine(snapshot, snapshot.flags.at(position)))
    }
    this.modSeq = delta.modSeq
  }
}

/** One account's history of random changes, each compared with what the model says. */
export class History {
  readonly #open: () => Promise<Store>
  readonly #random: Random
  readonly #model = new ModelAccount()
  readonly #clients: Client[] = []
  #store!: Store
  #account!: AccountId
  #appended = 0

  constructor(open: () => Promise<Store>, seed: number) {
    this.#open = open
    this.#random = makeRandom(seed)
  }

  async run(steps: number): Promise<void> {
    this.#store = await this.#open()
    try {
      await this.#runSteps(steps)
    } finally {
      await this.#store.close()
    }
  }

  async #runSteps(steps: number): Promise<void> {
    this.#account = await addAccount(this.#store)
    for (const row of await listMailboxes(this.#store.reader, this.#account)) {
      this.#model.mailboxes.push({ ...row, uidNext: 1, messages: new Map() })
    }
    for (let step = 0; step < steps; step++) {
      await this.#step()
      if (this.#random(4) === 0) await this.#followOne()
      if (step % 50 === 49) await this.#compareAll()
    }
    await this.#compareAll()
  }

  async #step(): Promise<void> {
    const kinds = [
      'append',
      'append',
      'append',
      'flags',
      'flags',
      'flags',
      'copy',
      'move',
      'expunge',
      'expunge',
      'uid-expunge',
      'create',
      'delete',
      'rename',
      'reopen',
    ] as const
    const kind = kinds[this.#random(kinds.length)]
    switch (kind) {
      case 'append':
        return this.#append()
      case 'flags':
        return this.#flags()
      case 'copy':
      case 'move':
        return this.#copy(kind)
      case 'expunge':
      case 'uid-expunge':
        return this.#expunge(kind === 'expunge')
      case 'create':
        return this.#create()
      case 'delete':
        return this.#delete()
      case 'rename':
        return this.#rename()
      case 'reopen':
        return this.#random(8) === 0 ? this.#reopen() : this.#compareOne()
      case undefined:
        throw new Error('no step')
    }
  }

  #anyMailbox(): ModelMailbox {
    return this.#model.mailboxes[this.#random(this.#model.mailboxes.length)] as ModelMailbox
  }

  #anyFlags(): Set<string> {
    return new Set(flagNames.filter(() => this.#random(4) === 0))
  }

  /** Some ranges, ascending and apart; often all, sometimes none that exists. */
  #anyRanges(mailbox: ModelMailbox): { ranges: UidRanges; wanted: (uid: number) => boolean } {
    const ranges: [number, number][] = []
    if (this.#random(5) === 0) ranges.push([1, 2 ** 32 - 1])
    else {
      let at = 1 + this.#random(3)
      while (at <= mailbox.uidNext + 2 && ranges.length < 20) {
        const last = at + this.#random(3) * this.#random(4)
        ranges.push([at, last])
        at = last + 2 + this.#random(6)
      }
    }
    return { ranges, wanted: uid => ranges.some(([first, last]) => uid >= first && uid <= last) }
  }

  async #append(): Promise<void> {
    const mailbox = this.#anyMailbox()
    const texts = Array.from({ length: 1 + this.#random(4) }, () =>
      this.#random(5) === 0 ? 'the same text' : `text ${++this.#appended}`,
    )
    const flags = texts.map(() => this.#anyFlags())
    const messages = texts.map((text, i) =>
      mail(this.#store, text, { flags: toFlagSet(flags[i] as Set<string>), fields: [`Subject: ${text}`] }),
    )
    const result = await this.#store.mutate('appendMessages', {
      account: this.#account,
      mailbox: mailbox.id as MailboxId,
      messages,
    })
    const uids = texts.map((text, i) =>
      this.#model.append(mailbox, text, flags[i] as Set<string>, result.modSeq, result.emails[i] as number),
    )
    assert.deepEqual(result.uids, uids)
    assert.equal(result.uidValidity, mailbox.uidValidity)
  }

  async #flags(): Promise<void> {
    const mailbox = this.#anyMailbox()
    const { ranges, wanted } = this.#anyRanges(mailbox)
    const mode = (['add', 'remove', 'replace'] as const)[this.#random(3)] ?? 'add'
    const flags = this.#anyFlags()
    const modSeqs = [...mailbox.messages.values()].map(message => message.modSeq)
    const unchangedSince = this.#random(3) === 0 ? (modSeqs[this.#random(modSeqs.length)] ?? 1) : undefined
    const expected = this.#model.store(mailbox, wanted, mode, flags, unchangedSince)
    const result = await this.#store.mutate('storeFlags', {
      account: this.#account,
      mailbox: mailbox.id as MailboxId,
      uids: ranges,
      mode,
      flags: toFlagSet(flags),
      unchangedSince: unchangedSince as ModSeq | undefined,
    })
    assert.deepEqual(
      numbersOf(result.changed),
      [...expected.changed.keys()].sort((a, b) => a - b),
    )
    assert.deepEqual([...result.unmodified], expected.unmodified)
    for (const [uid, after] of expected.changed) {
      const message = mailbox.messages.get(uid)
      if (message) mailbox.messages.set(uid, { ...message, flags: after, modSeq: result.modSeq })
    }
  }

  async #copy(kind: 'copy' | 'move'): Promise<void> {
    const from = this.#anyMailbox()
    const to = this.#anyMailbox()
    const { ranges, wanted } = this.#anyRanges(from)
    if (from.messages.size > 300 || to.messages.size > 300) return this.#expunge(false)
    const result = await this.#store.mutate(kind === 'copy' ? 'copyMessages' : 'moveMessages', {
      account: this.#account,
      mailbox: from.id as MailboxId,
      uids: ranges,
      target: to.id as MailboxId,
    })
    const pairs = this.#model.copy(from, wanted, to, result.modSeq)
    if (kind === 'move') for (const [uid] of pairs) from.messages.delete(uid)
    assert.deepEqual(
      [...result.sourceUids],
      pairs.map(([source]) => source),
    )
    assert.deepEqual(
      [...result.targetUids],
      pairs.map(([, target]) => target),
    )
  }

  async #expunge(onlyDeleted: boolean): Promise<void> {
    const mailbox = this.#anyMailbox()
    const { ranges, wanted } = this.#anyRanges(mailbox)
    const expected = this.#model.expunge(mailbox, wanted, onlyDeleted)
    const { uids } = await this.#store.mutate('expungeMessages', {
      account: this.#account,
      mailbox: mailbox.id as MailboxId,
      uids: ranges,
      onlyDeleted,
    })
    assert.deepEqual([...uids], expected)
  }

  async #create(): Promise<void> {
    const name = names[this.#random(names.length)] as string
    const isThere = this.#model.find(name) !== undefined
    const failure = await this.#try(async () => {
      const { uidValidity } = await this.#store.mutate('createMailbox', { account: this.#account, name })
      assert.ok(!this.#model.mailboxes.some(mailbox => mailbox.uidValidity === uidValidity))
    })
    assert.equal(failure, isThere ? 'mailbox-exists' : undefined)
    await this.#learnMailboxes()
  }

  async #delete(): Promise<void> {
    const mailbox = this.#anyMailbox()
    const failure = await this.#try(() =>
      this.#store.mutate('deleteMailbox', { account: this.#account, mailbox: mailbox.id as MailboxId }),
    )
    if (mailbox.name === 'INBOX') return assert.equal(failure, 'invalid-name')
    assert.equal(failure, undefined)
    this.#model.mailboxes.splice(this.#model.mailboxes.indexOf(mailbox), 1)
  }

  async #rename(): Promise<void> {
    const from = this.#anyMailbox()
    const to = names[this.#random(names.length)] as string
    const below = this.#model.mailboxes.filter(mailbox => mailbox.name.startsWith(`${from.name}/`))
    const isTaken =
      this.#model.find(to) !== undefined ||
      (from.name !== 'INBOX' &&
        below.some(child => this.#model.find(to + child.name.slice(from.name.length))))
    const failure = await this.#try(() =>
      this.#store.mutate('renameMailbox', { account: this.#account, from: from.name, to }),
    )
    if (isTaken) return assert.equal(failure, 'mailbox-exists')
    if (from.name !== 'INBOX' && to.startsWith(`${from.name}/`)) return assert.equal(failure, 'invalid-name')
    assert.equal(failure, undefined)
    if (from.name === 'INBOX') {
      await this.#learnMailboxes()
      const target = this.#model.find(to)
      assert.ok(target)
      const snapshot = await this.#store.snapshot(this.#account, target.id as MailboxId)
      this.#model.copy(from, () => true, target, snapshot.modSeq)
      from.messages.clear()
      return
    }
    const oldName = from.name
    for (const mailbox of [from, ...below]) mailbox.name = to + mailbox.name.slice(oldName.length)
    await this.#learnMailboxes()
  }

  async #try(action: () => Promise<unknown>): Promise<string | undefined> {
    try {
      await action()
      return undefined
    } catch (error) {
      if (error instanceof StoreError) return error.code
      throw error
    }
  }

  /** Parents that were made on the way. */
  async #learnMailboxes(): Promise<void> {
    for (const row of await listMailboxes(this.#store.reader, this.#account)) {
      if (this.#model.mailboxes.some(mailbox => mailbox.id === row.id)) continue
      this.#model.mailboxes.push({ ...row, uidNext: 1, messages: new Map() })
    }
  }

  async #reopen(): Promise<void> {
    await this.#store.close()
    this.#store = await this.#open()
  }

  async #followOne(): Promise<void> {
    const mailbox = this.#anyMailbox()
    let client = this.#clients.find(known => known.mailbox === mailbox && this.#random(2) === 0)
    if (!client) {
      client = new Client(mailbox)
      if (this.#clients.length > 30) this.#clients.shift()
      this.#clients.push(client)
    }
    await client.follow(await this.#store.snapshot(this.#account, mailbox.id as MailboxId))
    assert.deepEqual(
      [...client.known].sort((a, b) => a[0] - b[0]),
      [...mailbox.messages]
        .map(([uid, message]) => [uid, flagLine(message.flags)])
        .sort((a, b) => (a[0] as number) - (b[0] as number)),
    )
  }

  async #compareOne(): Promise<void> {
    await this.#compare(this.#anyMailbox())
  }

  async #compareAll(): Promise<void> {
    const rows = await listMailboxes(this.#store.reader, this.#account)
    assert.deepEqual(rows.map(row => row.name).sort(), this.#model.names)
    for (const row of rows) {
      const mailbox = this.#model.mailboxes.find(known => known.id === row.id)
      assert.ok(mailbox)
      const messages = [...mailbox.messages.values()]
      assert.deepEqual(
        [row.total, row.unseen, row.deleted, row.uidNext],
        [
          messages.length,
          messages.filter(message => !message.flags.has('\\Seen')).length,
          messages.filter(message => message.flags.has('\\Deleted')).length,
          mailbox.uidNext,
        ],
      )
      await this.#compare(mailbox)
    }
  }

  async #compare(mailbox: ModelMailbox): Promise<void> {
    const snapshot = await this.#store.snapshot(this.#account, mailbox.id as MailboxId)
    const actual = Array.from({ length: snapshot.count }, (_, i) => [
      snapshot.uids.at(i),
      toLine(snapshot, snapshot.flags.at(i)),
      snapshot.modSeqs.at(i),
      snapshot.emailAt(i),
    ])
    const expected = [...mailbox.messages]
      .sort((a, b) => a[0] - b[0])
      .map(([uid, message]) => [uid, flagLine(message.flags), message.modSeq, message.email])
    assert.deepEqual(actual, expected)
    assert.equal(snapshot.uidNext, mailbox.uidNext)
  }
}
