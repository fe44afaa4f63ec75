// Columns of an account's emails, kept in memory: what is in them never changes, so each is read once and added to as mail arrives.
//
// They are kept in blocks of ids. A block is as far filled as the highest id that was asked for: emails are committed in the order of their ids, so
// below it nothing new can come.
import { type Breathe, inStretches } from '../base/breathe.ts'
import type { AccountId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { Lru } from '../base/lru.ts'
import {
  type KeyColumn,
  type KeyValue,
  type NumberColumn,
  readKeyColumns,
  type TextColumn,
} from './read/email-columns.ts'
import { type KeptColumn, keptColumns, type KeptValues } from './search/kept-numbers.ts'
import { keptTextColumns, notKept, type TextsBlock } from './search/kept-texts.ts'
import {
  type ColumnsBlock,
  emailsAtOnce,
  type FindColumns,
  type IndexedColumn,
  noSearchIndex,
  type SearchIndex,
} from './search/search-index.ts'
import type { Reader } from './store.ts'
import { TextSet } from './text-set.ts'

/** The values of some emails. */
export interface EmailColumns {
  /** By place; NaN where there is none. */
  numbers(column: NumberColumn): Float64Array
  /** By place; the numbers of texts. Emails that are gone have the empty text. */
  texts(column: TextColumn): { readonly numbers: Uint32Array; readonly set: TextSet }
}

const blockIds = emailsAtOnce
/** A mailbox with fewer emails than this in each block is read by itself. */
const minDensity = 64

type Values = Float64Array | Uint32Array

interface Block {
  readonly values: Values
  /** The highest id up to which it is filled. */
  filled: number
  /** Slots that the index has filled, wherever they are; undefined while it has not. */
  present: readonly number[] | undefined
}

/** What a value is put into. */
interface Target {
  readonly name: KeyColumn
  readonly block: Block
  readonly set: TextSet | undefined
}

interface CachedColumn {
  readonly blocks: Map<number, Block>
  /** Of a column of texts. */
  readonly set: TextSet | undefined
}

const indexed: ReadonlySet<KeyColumn> = new Set([...keptColumns, ...keptTextColumns])

const numberColumns: ReadonlySet<KeyColumn> = new Set<NumberColumn>([
  'sent_at',
  'sent_zone_minutes',
  'thread',
  'is_reply',
])

export class EmailColumnCache {
  readonly #reader: Reader
  readonly #index: Pick<SearchIndex, 'columns'>
  readonly #columns: Lru<string, CachedColumn>

  /** What `index` knows of them is not read from the rows. */
  constructor(
    reader: Reader,
    index: Pick<SearchIndex, 'columns'> = noSearchIndex,
    maxBytes: number = limits.store.emailColumnBytes,
  ) {
    this.#reader = reader
    this.#index = index
    this.#columns = new Lru(maxBytes)
  }

  /** The columns for `emails`, whose place in the list is their place in the answer. */
  async load(
    account: AccountId,
    emails: Float64Array,
    columns: readonly KeyColumn[],
    breathe: Breathe,
  ): Promise<EmailColumns> {
    const highest = await highestByBlock(emails, breathe)
    if (highest.size * minDensity > emails.length) return this.#read(account, emails, columns, breathe)
    const cached = new Map(columns.map(name => [name, this.#columnOf(account, name)]))
    const known = columns.every(name => indexed.has(name))
      ? await this.#index.columns(account, breathe)
      : undefined
    for (const [block, id] of highest) {
      await this.#fill(account, block, id, cached, known, breathe)
      const breath = breathe()
      if (breath !== undefined) await breath
    }
    for (const [name, column] of cached) this.#columns.set(keyOf(account, name), column, weightOf(column))
    const gathered = new Map<KeyColumn, Values>()
    for (const [name, column] of cached) gathered.set(name, await gather(column, emails, breathe))
    return columnsOf(gathered, name => cached.get(name)?.set)
  }

  clear(): void {
    this.#columns.clear()
  }

  #columnOf(account: AccountId, name: KeyColumn): CachedColumn {
    return this.#columns.get(keyOf(account, name)) ?? { blocks: new Map(), set: newSet(name) }
  }

  /** Reads what is missing of a block up to `id`, all columns at once. */
  async #fill(
    account: AccountId,
    block: number,
    id: number,
    cached: ReadonlyMap<KeyColumn, CachedColumn>,
    known: FindColumns | undefined,
    breathe: Breathe,
  ): Promise<void> {
    const wanting = [...cached].filter(([, { blocks }]) => (blocks.get(block)?.filled ?? -1) < id)
    if (wanting.length === 0) return
    const first = block * blockIds
    const from = Math.min(...wanting.map(([, { blocks }]) => (blocks.get(block)?.filled ?? first - 1) + 1))
    const targets = wanting.map(([name, column]) => ({
      name,
      block: blockOf(column, name, block),
      set: column.set,
    }))
    const names = wanting.map(([name]) => name)
    await this.#fillFromIndex(account, block, targets, known)
    const ids = idsBetween(from, id, first, targets)
    const take = (place: number, row: readonly KeyValue[]) => {
      const at = (ids[place] as number) - first
      for (let column = 0; column < targets.length; column++) {
        const { block: target, set } = targets[column] as Target
        const value = row[column]
        target.values[at] = set ? set.add(value as string) : value === null ? Number.NaN : (value as number)
      }
    }
    await readKeyColumns(this.#reader, account, ids, names, take, breathe)
    for (const { block: target } of targets) target.filled = Math.max(target.filled, id)
  }

  /** Puts what the index knows of a block into the columns in which it has put nothing of it yet. */
  async #fillFromIndex(
    account: AccountId,
    block: number,
    targets: readonly Target[],
    find: FindColumns | undefined,
  ): Promise<void> {
    const unasked = targets.filter(target => target.block.present === undefined)
    if (unasked.length === 0) return
    const found = await this.#askIndex(account, block, unasked, find)
    if (!found) return
    for (const { name, block: target, set } of unasked) {
      target.present = set
        ? copyTexts(found.texts.get(name) as TextsBlock, found.present, target.values, set)
        : copySlots((found.numbers as KeptValues)[name as KeptColumn], found.present, target.values)
    }
  }

  /** What the index knows, where it is one of these emails: a store that was put back to an earlier state has given their ids again. */
  async #askIndex(
    account: AccountId,
    block: number,
    targets: readonly Target[],
    find: FindColumns | undefined,
  ): Promise<ColumnsBlock | undefined> {
    const names = targets.map(({ name }) => name as IndexedColumn)
    const found = await find?.(block, names)
    if (!found?.last) return undefined
    const [email, hash] = found.last
    const sql = 'SELECT blob FROM email WHERE account = ? AND id = ?'
    const [row] = await this.#reader.arrays<readonly [blob: Uint8Array]>(sql, account, email)
    return row && Buffer.from(row[0]).toString('hex') === hash ? found : undefined
  }

  /** For a few emails that lie far apart. */
  async #read(
    account: AccountId,
    emails: Float64Array,
    columns: readonly KeyColumn[],
    breathe: Breathe,
  ): Promise<EmailColumns> {
    const sets = new Map(columns.map(name => [name, newSet(name)]))
    const gathered = new Map(columns.map(name => [name, newValues(name, emails.length)]))
    const targets = columns.map(name => ({ values: gathered.get(name) as Values, set: sets.get(name) }))
    await readKeyColumns(
      this.#reader,
      account,
      emails,
      columns,
      (place, row) => {
        for (const [at, { values, set }] of targets.entries()) {
          const value = row[at]
          values[place] = set ? set.add(value as string) : value === null ? Number.NaN : (value as number)
        }
      },
      breathe,
    )
    return columnsOf(gathered, name => sets.get(name))
  }
}

function keyOf(account: AccountId, column: KeyColumn): string {
  return `${account}/${column}`
}

function newSet(name: KeyColumn): TextSet | undefined {
  // A Message-ID comes once.
  return numberColumns.has(name) ? undefined : new TextSet(name !== 'message_id')
}

function newValues(name: KeyColumn, length: number): Values {
  return numberColumns.has(name) ? new Float64Array(length).fill(Number.NaN) : new Uint32Array(length)
}

function blockOf({ blocks }: CachedColumn, name: KeyColumn, block: number): Block {
  let found = blocks.get(block)
  if (!found)
    blocks.set(
      block,
      (found = { values: newValues(name, blockIds), filled: block * blockIds - 1, present: undefined }),
    )
  return found
}

/** The slots that are filled then. */
function copySlots(from: ArrayLike<number>, slots: readonly number[], to: Values): readonly number[] {
  for (const slot of slots) to[slot] = from[slot] as number
  return slots
}

/** The slots that are filled then. */
function copyTexts(
  { numbers, texts }: TextsBlock,
  slots: readonly number[],
  to: Values,
  set: TextSet,
): readonly number[] {
  const before = set.addAll(texts) - 1
  const kept = slots.filter(slot => numbers[slot] !== notKept)
  for (const slot of kept) {
    const number = numbers[slot] as number
    to[slot] = number === 0 ? 0 : before + number
  }
  return kept
}

/** The ids of a block, which begins at `first`, from one to another, but for those that the index has filled in everywhere. */
function idsBetween(from: number, to: number, first: number, targets: readonly Target[]): Float64Array {
  const fills = new Uint8Array(blockIds)
  for (const { block } of targets)
    for (const slot of block.present ?? []) fills[slot] = (fills[slot] as number) + 1
  const ids = new Float64Array(to - from + 1)
  let count = 0
  for (let id = from; id <= to; id++) if (fills[id - first] !== targets.length) ids[count++] = id
  return ids.subarray(0, count)
}

/** The blocks in which the emails lie, each with the highest id. */
async function highestByBlock(emails: Float64Array, breathe: Breathe): Promise<Map<number, number>> {
  const highest = new Map<number, number>()
  await inStretches(emails.length, breathe, (from, to) => {
    for (let place = from; place < to; ) {
      const block = Math.floor((emails[place] as number) / blockIds)
      const first = block * blockIds
      let id = highest.get(block) ?? -1
      for (; place < to; place++) {
        const email = emails[place] as number
        if (email < first || email >= first + blockIds) break
        if (email > id) id = email
      }
      highest.set(block, id)
    }
  })
  return highest
}

async function gather(
  { blocks, set }: CachedColumn,
  emails: Float64Array,
  breathe: Breathe,
): Promise<Values> {
  const gathered = set ? new Uint32Array(emails.length) : new Float64Array(emails.length)
  await inStretches(emails.length, breathe, (from, to) => {
    for (let place = from; place < to; ) {
      const block = Math.floor((emails[place] as number) / blockIds)
      const { values } = blocks.get(block) as Block
      place = gatherBlock(values, block * blockIds, emails, gathered, place, to)
    }
  })
  return gathered
}

/** Takes values of one block, whose ids begin at `first`, up to the place of an email of another one, which it gives. */
function gatherBlock(
  values: Values,
  first: number,
  emails: Float64Array,
  gathered: Values,
  from: number,
  to: number,
): number {
  for (let place = from; place < to; place++) {
    const at = (emails[place] as number) - first
    if (at < 0 || at >= blockIds) return place
    gathered[place] = values[at] as number
  }
  return to
}

function weightOf({ blocks, set }: CachedColumn): number {
  return 1024 + blocks.size * blockIds * (set ? 4 : 8) + (set?.weight ?? 0)
}

function columnsOf(
  gathered: ReadonlyMap<KeyColumn, Values>,
  setOf: (name: KeyColumn) => TextSet | undefined,
): EmailColumns {
  return {
    numbers: column => gathered.get(column) as Float64Array,
    texts: column => ({ numbers: gathered.get(column) as Uint32Array, set: setOf(column) as TextSet }),
  }
}
