// Finds the messages that match a criterion, reading as little as it can. RFC 9051 §6.4.4.
//
// Three-valued: no, unknown, yes. The keys that the snapshot answers are laid over the whole mailbox as masks first. What they leave unknown
// is looked at again with the rows of emails, what that leaves with header blocks, and the rest with whole messages, so that a message is read
// only if its answer depends on it. An index of text would narrow the unknown ones before the last step; its candidates are verified there.
import { assert } from '../../base/assert.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { ConnectionError } from '../../net/connection-error.ts'
import { StoreError } from '../../store/error.ts'
import { type EmailColumn, type EmailRow, maxEmailRows, readEmailRows } from '../fetch/email-rows.ts'
import type { Session } from '../session.ts'
import { MessageContent, type ScanSource } from './message-content.ts'
import {
  type Cost,
  costs,
  type Criterion,
  type KeyTest,
  type SearchKey,
  type TextNeedle,
} from './search-key.ts'
import { emailOf, type SearchScope } from './search-scope.ts'

// In this order AND is the least, OR the greatest, and NOT what is left to `yes`.
const no = 0
const unknown = 1
const yes = 2
type Answer = 0 | 1 | 2

/** A criterion bound to a scope: the rank is that of the dearest key in it. */
type Node =
  | KeyNode
  | { readonly kind: 'and' | 'or'; readonly rank: number; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly rank: number; readonly of: Node }

interface KeyNode {
  readonly kind: 'key'
  readonly rank: number
  readonly test: KeyTest
}

/** From so many keys on that read a message they are asked one by one, with pauses. */
const manyKeys = 32

/** The indexes in the scope of the messages that match, ascending. Ends early, with ConnectionClosed, when the client is gone. */
export async function findMatches(
  session: Session,
  scope: SearchScope,
  criterion: Criterion,
): Promise<Uint32Array> {
  const root = bind(criterion, scope)
  const answers = await maskOf(root, scope, session)
  const keys = keysOf(criterion)
  for (let rank = 1; rank <= root.rank; rank++) {
    const cost = costs[rank] as Cost
    if (keys.some(key => key.cost === cost)) await new Reading(session, scope, root, keys, rank).run(answers)
  }
  return indexesOf(answers, yes)
}

function bind(criterion: Criterion, scope: SearchScope): Node {
  switch (criterion.kind) {
    case 'key':
      return { kind: 'key', rank: costs.indexOf(criterion.cost), test: criterion.bind(scope) }
    case 'not': {
      const of = bind(criterion.of, scope)
      return { kind: 'not', rank: of.rank, of }
    }
    default: {
      // The cheapest first, so that they decide where they can.
      const of = criterion.of.map(one => bind(one, scope)).sort((a, b) => a.rank - b.rank)
      return { kind: criterion.kind, rank: of[of.length - 1]?.rank ?? 0, of }
    }
  }
}

function keysOf(criterion: Criterion): readonly SearchKey[] {
  switch (criterion.kind) {
    case 'key':
      return [criterion]
    case 'not':
      return keysOf(criterion.of)
    default:
      return criterion.of.flatMap(keysOf)
  }
}

function keyNodesOf(node: Node): readonly KeyNode[] {
  switch (node.kind) {
    case 'key':
      return [node]
    case 'not':
      return keyNodesOf(node.of)
    default:
      return node.of.flatMap(keyNodesOf)
  }
}

function indexesOf(answers: Uint8Array, answer: Answer): Uint32Array {
  let count = 0
  for (let index = 0; index < answers.length; index++) if (answers[index] === answer) count++
  const indexes = new Uint32Array(count)
  let at = 0
  for (let index = 0; index < answers.length; index++) if (answers[index] === answer) indexes[at++] = index
  return indexes
}

// The snapshot's keys, over the whole scope

/** What the snapshot alone says of each message. */
async function maskOf(node: Node, scope: SearchScope, session: Session): Promise<Uint8Array> {
  const mask = new Uint8Array(scope.count)
  switch (node.kind) {
    case 'key':
      if (node.rank > 0) mask.fill(unknown)
      else
        for (let index = 0; index < mask.length; index++) mask[index] = node.test(index, noContent) ? yes : no
      await breatheIn(session)
      return mask
    case 'not': {
      const inner = await maskOf(node.of, scope, session)
      for (let index = 0; index < mask.length; index++) mask[index] = yes - (inner[index] as number)
      return mask
    }
    case 'and': {
      mask.fill(yes)
      for (const child of node.of) {
        const inner = await maskOf(child, scope, session)
        for (let index = 0; index < mask.length; index++) {
          if ((inner[index] as number) < (mask[index] as number)) mask[index] = inner[index] as number
        }
      }
      return mask
    }
    case 'or':
      for (const child of node.of) {
        const inner = await maskOf(child, scope, session)
        for (let index = 0; index < mask.length; index++) {
          if ((inner[index] as number) > (mask[index] as number)) mask[index] = inner[index] as number
        }
      }
      return mask
  }
}

const noContent = new MessageContent({} as EmailRow, undefined, text => text)

/** Lets others run now and then; a client that is gone needs no answer. */
export function breatheIn({ connection }: Session): Awaitable<void> {
  if (connection.isClosed)
    throw new ConnectionError('ConnectionClosed', 'the client has gone during a SEARCH')
  return connection.breathe()
}

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
    case 'key':
      if (node.rank > rank) return unknown
      return (known.get(node) ?? node.test(index, content)) ? yes : no
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

/** Decides what is unknown by reading more of each message: rows, header blocks or whole messages, by `rank`. */
class Reading {
  readonly #session: Session
  readonly #scope: SearchScope
  readonly #root: Node
  readonly #rank: number
  readonly #cost: Cost
  readonly #columns: ReadonlySet<EmailColumn>
  readonly #needles: readonly TextNeedle[]
  /** The keys that read the message, and what they say of the message that is looked at, where they are many. */
  readonly #slow: readonly KeyNode[]
  readonly #known = new Map<Node, boolean>()

  constructor(session: Session, scope: SearchScope, root: Node, keys: readonly SearchKey[], rank: number) {
    const readable = keys.filter(({ cost }) => costs.indexOf(cost) <= rank)
    this.#session = session
    this.#scope = scope
    this.#root = root
    this.#rank = rank
    this.#cost = costs[rank] as Cost
    this.#columns = new Set(readable.flatMap(({ columns }) => columns ?? []))
    this.#needles = readable.flatMap(({ needle }) => needle ?? [])
    this.#slow = keyNodesOf(root).filter(node => node.rank <= rank && node.rank >= costs.indexOf('header'))
  }

  async run(answers: Uint8Array): Promise<void> {
    const undecided = indexesOf(answers, unknown)
    for (let from = 0; from < undecided.length; from += maxEmailRows) {
      await this.#decide(undecided.subarray(from, from + maxEmailRows), answers)
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
    if (this.#cost === 'row')
      return this.#judge(index, new MessageContent(row, undefined, this.#session.comparator.fold))
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
    const hash = bodyHash(row)
    const source: ScanSource = {
      read: (start, end) => store.readBody(account, hash, start, end),
      breathe: () => breatheIn(this.#session),
    }
    const headerEnd = Math.min(row.header_bytes, limits.message.headerBytes)
    const isWhole = this.#cost === 'text' && row.size_bytes <= limits.imap.pieceBytes
    const finish = (head: Buffer): Awaitable<Answer> => {
      const content = new MessageContent(row, head, this.#session.comparator.fold)
      const isMany = this.#slow.length >= manyKeys
      if (this.#needles.length === 0)
        return isMany ? this.#askOneByOne(index, content) : this.#judge(index, content)
      return content
        .scan(this.#needles, source)
        .then(() => (isMany ? this.#askOneByOne(index, content) : this.#judge(index, content)))
    }
    const head = source.read(0, isWhole ? row.size_bytes : headerEnd)
    return head instanceof Promise ? head.then(finish) : finish(head)
  }

  /** A large header takes each key some time, and a command may have thousands: others run in between. */
  async #askOneByOne(index: number, content: MessageContent): Promise<Answer> {
    this.#known.clear()
    for (const node of this.#slow) {
      this.#known.set(node, node.test(index, content))
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
