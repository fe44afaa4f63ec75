// Finds the messages that match a criterion, reading as little as it can. RFC 9051 §6.4.4.
//
// Three-valued: no, unknown, yes. The keys that the snapshot answers are laid over the whole mailbox as masks first. What they leave unknown is looked
// at again with columns of emails, then by the index of text, and what that leaves with header blocks and at last with whole messages: a message is read
// only if its answer depends on it, and whatever the index cannot answer for sure is read, so that the result is that of reading them all.
import { assert } from '../../base/assert.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import { type Breathe, inStretches } from '../../base/breathe.ts'
import type { BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { searchableHeaderBytes } from '../../message/searchable-text.ts'
import { StoreError } from '../../store/error.ts'
import type { NumberColumn } from '../../store/read/email-columns.ts'
import { answers as answerValues } from '../../store/search/search-index.ts'
import { breatheIn } from '../breaths.ts'
import { type EmailColumn, type EmailRow, emailRowsAtOnce, readEmailRows } from '../fetch/email-rows.ts'
import type { Session } from '../session.ts'
import { indexesWith, spread } from './indexes.ts'
import { loadKeys } from './load-keys.ts'
import { MessageContent, type ScanSource } from './message-content.ts'
import { type Cost, costs, type Criterion, type KeyTest, type SearchKey } from './search-key.ts'
import { emailOf, emailsOf, type SearchScope } from './search-scope.ts'

const { no, unknown, yes } = answerValues
type Answer = 0 | 1 | 2

/** A criterion for a scope: the rank is that of the dearest key in it. */
type Node =
  | KeyNode
  | { readonly kind: 'and' | 'or'; readonly rank: number; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly rank: number; readonly of: Node }

interface KeyNode {
  readonly kind: 'key'
  readonly rank: number
  readonly key: SearchKey
  /** Once it can be asked. */
  test: KeyTest | undefined
  /** What it was bound to. */
  scope: SearchScope | undefined
  /** What the index says, by index in the scope. */
  known: Uint8Array | undefined
}

/** From so many keys on that read a message they are asked one by one, with pauses. */
const manyKeys = 32

/** The indexes in the scope of the messages that match, ascending. Ends early, with ConnectionClosed, when the client is gone. */
export async function findMatches(
  session: Session,
  scope: SearchScope,
  criterion: Criterion,
): Promise<Uint32Array> {
  const breathe = () => breatheIn(session)
  const root = nodeOf(await loadKeys(session, scope, criterion))
  const keys = keysOf(root)
  bindAll(keys, 0, scope)
  const answers = await maskOf(root, 0, { breathe, count: scope.count, indexes: undefined })
  const { ascending } = session.context
  const indexesOf = (answer: 1 | 2) => indexesWith(answers, answer, ascending, breathe)
  if (root.rank === 0) return indexesOf(yes)
  const undecided = () => indexesOf(unknown)
  const look = async (rank: number) => {
    const indexes = await undecided()
    if (indexes.length === scope.count) {
      answers.set(await maskOf(root, rank, { breathe, count: scope.count, indexes: undefined }))
      return
    }
    const mask = await maskOf(root, rank, { breathe, count: indexes.length, indexes })
    await spread(mask, indexes, answers, breathe)
  }
  if (await loadColumns(session, scope, keys, undecided)) await look(1)
  if (await askIndex(session, scope, keys, undecided)) await look(1)
  for (let rank = 2; rank <= root.rank; rank++) {
    if (keys.every(key => key.rank !== rank)) continue
    bindAll(keys, rank, scope)
    await new Reading(session, scope, root, keys, rank).run(answers)
  }
  return indexesOf(yes)
}

function nodeOf(criterion: Criterion): Node {
  switch (criterion.kind) {
    case 'key':
      return {
        kind: 'key',
        rank: costs.indexOf(criterion.cost),
        key: criterion,
        test: undefined,
        scope: undefined,
        known: undefined,
      }
    case 'not': {
      const of = nodeOf(criterion.of)
      return { kind: 'not', rank: of.rank, of }
    }
    default: {
      // The cheapest first, so that they decide where they can.
      const of = criterion.of.map(nodeOf).sort((a, b) => a.rank - b.rank)
      const [only] = of
      if (only && of.length === 1) return only
      return { kind: criterion.kind, rank: of[of.length - 1]?.rank ?? 0, of }
    }
  }
}

function keysOf(node: Node): readonly KeyNode[] {
  switch (node.kind) {
    case 'key':
      return [node]
    case 'not':
      return keysOf(node.of)
    default:
      return node.of.flatMap(keysOf)
  }
}

function bindAll(keys: readonly KeyNode[], rank: number, scope: SearchScope): void {
  for (const node of keys) {
    if (node.rank !== rank) continue
    node.test = node.key.bind(scope)
    node.scope = scope
  }
}

// Many messages at a time, without reading them

/** Reads the columns that keys compare, of the messages that are undecided; false when there is nothing to read. */
async function loadColumns(
  session: Session,
  scope: SearchScope,
  keys: readonly KeyNode[],
  undecided: () => Promise<Uint32Array>,
): Promise<boolean> {
  const names = [...new Set(keys.flatMap(({ key }) => key.compares ?? []))]
  if (names.length === 0) return false
  const breathe = () => breatheIn(session)
  const indexes = await undecided()
  const emails = await emailsOf(scope, indexes, breathe)
  const { account } = scope.view.mailbox
  const loaded = await session.store.emailColumns.load(account, emails, names, breathe)
  const columns = new Map<NumberColumn, Float64Array>()
  for (const name of names) {
    const values = loaded.numbers(name)
    if (indexes.length === scope.count) {
      columns.set(name, values)
      continue
    }
    const column = new Float64Array(scope.count).fill(Number.NaN)
    await spread(values, indexes, column, breathe)
    columns.set(name, column)
  }
  bindAll(keys, 1, { ...scope, columns })
  return true
}

/** Asks the index in the place of keys that read messages; false when there is nothing to ask. */
async function askIndex(
  session: Session,
  scope: SearchScope,
  keys: readonly KeyNode[],
  undecided: () => Promise<Uint32Array>,
): Promise<boolean> {
  const asking = keys.filter(({ key }) => key.lookup !== undefined)
  if (asking.length === 0) return false
  const breathe = () => breatheIn(session)
  const indexes = await undecided()
  if (indexes.length < limits.search.fewMessages) return false
  const { searchIndex } = session.store
  const { account } = scope.view.mailbox
  const emails = await emailsOf(scope, indexes, breathe)
  const most = Math.ceil(limits.search.answers / scope.count)
  for (const node of asking.slice(0, most)) {
    const { lookup } = node.key
    if (!lookup) continue
    const found = await searchIndex.answer(account, lookup, session.comparator, emails, breathe)
    if (indexes.length === scope.count) {
      node.known = found
      continue
    }
    const known = new Uint8Array(scope.count).fill(unknown)
    await spread(found, indexes, known, breathe)
    node.known = known
  }
  return true
}

/** The messages that a mask is about: all of the scope, or some. */
interface Extent {
  readonly breathe: Breathe
  readonly count: number
  readonly indexes: Uint32Array | undefined
}

/** What keys up to `rank`, and the index, say of each message. */
async function maskOf(node: Node, rank: number, extent: Extent): Promise<Uint8Array> {
  switch (node.kind) {
    case 'key':
      return keyMask(node, rank, extent)
    case 'not': {
      const mask = await maskOf(node.of, rank, extent)
      await inStretches(mask.length, extent.breathe, (from, to) => {
        for (let at = from; at < to; at++) mask[at] = yes - (mask[at] as number)
      })
      return mask
    }
    case 'and':
    case 'or': {
      const isAnd = node.kind === 'and'
      const mask = new Uint8Array(extent.count).fill(isAnd ? yes : no)
      for (const child of node.of) {
        const other = await maskOf(child, rank, extent)
        await inStretches(mask.length, extent.breathe, (from, to) => {
          for (let at = from; at < to; at++) {
            const answer = other[at] as number
            if (isAnd ? answer < (mask[at] as number) : answer > (mask[at] as number)) mask[at] = answer
          }
        })
      }
      return mask
    }
  }
}

async function keyMask(
  { rank: own, key, test, scope, known }: KeyNode,
  rank: number,
  { breathe, count, indexes }: Extent,
): Promise<Uint8Array> {
  const mask = new Uint8Array(count)
  if (known && !indexes) {
    mask.set(known)
    return mask
  }
  if (!known && (own > rank || !test)) return mask.fill(unknown)
  const maskAll = indexes === undefined && scope ? key.mask : undefined
  await inStretches(count, breathe, (from, to) => {
    if (known && indexes) for (let at = from; at < to; at++) mask[at] = known[indexes[at] as number] as number
    else if (maskAll && scope) maskAll(scope, mask, from, to)
    else if (test)
      for (let at = from; at < to; at++)
        mask[at] = test(indexes ? (indexes[at] as number) : at, noContent) ? yes : no
  })
  return mask
}

const noContent = new MessageContent({} as EmailRow, undefined, text => text)

// One message at a time

/** The answer with keys up to `rank`; `known` are those that were asked already. */
function answerOf(
  node: Node,
  rank: number,
  index: number,
  content: MessageContent,
  known: ReadonlyMap<Node, boolean>,
): Answer {
  switch (node.kind) {
    case 'key': {
      const indexed = node.known?.[index] ?? unknown
      if (indexed !== unknown) return indexed as Answer
      if (node.rank > rank || !node.test) return unknown
      return (known.get(node) ?? node.test(index, content)) ? yes : no
    }
    case 'not':
      return (yes - answerOf(node.of, rank, index, content, known)) as Answer
    case 'and': {
      let least: Answer = yes
      for (const child of node.of) {
        const answer = answerOf(child, rank, index, content, known)
        if (answer === no) return no
        if (answer < least) least = answer
      }
      return least
    }
    case 'or': {
      let greatest: Answer = no
      for (const child of node.of) {
        const answer = answerOf(child, rank, index, content, known)
        if (answer === yes) return yes
        if (answer > greatest) greatest = answer
      }
      return greatest
    }
  }
}

/** Decides what is unknown by reading more of each message: header blocks or whole messages, by `rank`. */
class Reading {
  readonly #session: Session
  readonly #scope: SearchScope
  readonly #root: Node
  readonly #rank: number
  readonly #cost: Cost
  readonly #columns: ReadonlySet<EmailColumn>
  /** The keys that read the row or the message. */
  readonly #slow: readonly KeyNode[]
  /** What they say of the message that is looked at, where they are many. */
  readonly #known = new Map<Node, boolean>()

  constructor(session: Session, scope: SearchScope, root: Node, keys: readonly KeyNode[], rank: number) {
    this.#session = session
    this.#scope = scope
    this.#root = root
    this.#rank = rank
    this.#cost = costs[rank] as Cost
    this.#slow = keys.filter(node => node.rank <= rank && node.rank >= costs.indexOf('row'))
    this.#columns = new Set(this.#slow.flatMap(({ key }) => key.columns ?? []))
  }

  async run(answers: Uint8Array): Promise<void> {
    const { ascending } = this.#session.context
    const breathe = () => breatheIn(this.#session)
    const undecided = await indexesWith(answers, unknown, ascending, breathe)
    const step = emailRowsAtOnce(this.#columns)
    for (let from = 0; from < undecided.length; from += step) {
      await this.#decide(undecided.subarray(from, from + step), answers)
    }
  }

  async #decide(indexes: Uint32Array, answers: Uint8Array): Promise<void> {
    const { store } = this.#session
    const { account } = this.#scope.view.mailbox
    const ids = Array.from(indexes, index => emailOf(this.#scope, index))
    const rows = await readEmailRows(store.reader, account, ids, this.#columns)
    for (const [at, index] of indexes.entries()) {
      const row = rows.get(ids[at] as number)
      // A message that was expunged meanwhile matches nothing.
      const pending = row ? this.#answer(index, row) : no
      answers[index] = pending instanceof Promise ? await pending : pending
      const breath = breatheIn(this.#session)
      if (breath !== undefined) await breath
    }
  }

  #answer(index: number, row: EmailRow): Awaitable<Answer> {
    try {
      const answer = this.#read(index, row)
      return answer instanceof Promise ? answer.catch(noIfLost) : answer
    } catch (error) {
      return noIfLost(error)
    }
  }

  /** Most bodies are small and read at once: no promise is made for them. */
  #read(index: number, row: EmailRow): Awaitable<Answer> {
    const { store } = this.#session
    const { account } = this.#scope.view.mailbox
    // What the index has answered needs no look.
    const asked = this.#slow.filter(({ known }) => (known?.[index] ?? unknown) === unknown)
    const judge = (content: MessageContent) =>
      asked.length >= manyKeys ? this.#askOneByOne(index, content, asked) : this.#judge(index, content)
    if (this.#cost === 'row') return judge(new MessageContent(row, undefined, this.#session.comparator.fold))
    const hash = bodyHash(row)
    const source: ScanSource = {
      read: (start, end) => store.readBody(account, hash, start, end),
      breathe: () => breatheIn(this.#session),
    }
    const needles = asked.flatMap(({ key }) => key.needle ?? [])
    const isWhole = this.#cost === 'text' && row.size_bytes <= limits.imap.pieceBytes
    const finish = (head: Buffer): Awaitable<Answer> => {
      const content = new MessageContent(row, head, this.#session.comparator.fold)
      const scan = needles.length > 0 ? content.scan(needles, source) : undefined
      return scan instanceof Promise ? scan.then(() => judge(content)) : judge(content)
    }
    const end = isWhole ? row.size_bytes : searchableHeaderBytes(row.header_bytes)
    const head = this.#copyHead(row, end) ?? source.read(0, end)
    return head instanceof Promise ? head.then(finish) : finish(head)
  }

  /** The first bytes of a message, where the store needs no wait for them, nor to be asked where they lie. */
  #copyHead({ blob, location }: EmailRow, most: number): Buffer | undefined {
    if (!location || most > limits.imap.pieceBytes) return undefined
    const end = Math.min(most, location.sizeBytes)
    const copy = this.#session.store.openBody?.(blob, location, end)
    if (!copy) return undefined
    const head = Buffer.allocUnsafe(end)
    return copy(0, end, head, 0) ? head : undefined
  }

  /** A large header takes each key some time, and a command may have thousands: others run in between. */
  async #askOneByOne(index: number, content: MessageContent, asked: readonly KeyNode[]): Promise<Answer> {
    this.#known.clear()
    for (const node of asked) {
      if (node.test) this.#known.set(node, node.test(index, content))
      const breath = breatheIn(this.#session)
      if (breath !== undefined) await breath
    }
    return this.#judge(index, content)
  }

  #judge(index: number, content: MessageContent): Answer {
    const answer = answerOf(this.#root, this.#rank, index, content, this.#known)
    assert(answer !== unknown || this.#rank < this.#root.rank, 'every key was asked')
    return answer
  }
}

function bodyHash({ blob }: EmailRow): BlobHash {
  return Buffer.from(blob.buffer, blob.byteOffset, blob.length).toString('hex') as BlobHash
}

function noIfLost(error: unknown): Answer {
  if (error instanceof StoreError && error.code === 'no-such-body') return no
  throw error
}
