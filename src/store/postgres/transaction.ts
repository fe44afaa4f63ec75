// One transaction of one lane: its lock, its mutations, its commit, and what became of that when the connection broke.
import { randomBytes } from 'node:crypto'
import { StoreError } from '../error.ts'
import { type Mutation, type MutationName, mutations } from '../mutations.ts'
import type { ChangeHint, Quota } from '../store.ts'
import type { Statements } from './dialect.ts'
import type { Lane } from './lanes.ts'
import type { RowBodies } from './row-bodies.ts'
import { isServerFailure } from './server-error.ts'
import type { Session } from './session.ts'
import { concernsAll, PostgresTx, withSavepoint } from './tx.ts'

export interface Call {
  readonly name: MutationName
  readonly args: unknown
}

/** How a mutation ended. */
export type Outcome =
  | { readonly kind: 'done'; readonly result: unknown; readonly hints: readonly ChangeHint[] }
  | { readonly kind: 'refused'; readonly error: unknown }

export interface TransactionParts {
  readonly statements: Statements
  readonly bodies: RowBodies
  readonly nowMs: number
  readonly defaultQuota: Quota
}

/** Names the lock of the directory. */
const directoryLock = 0x7265_7375

/** Its COMMIT was sent and no answer came. */
export class OutcomeUnknown extends Error {
  /** For `wasCommitted`. */
  readonly mark: Buffer
  readonly outcomes: readonly Outcome[]

  constructor(mark: Buffer, outcomes: readonly Outcome[], cause: unknown) {
    super('the connection broke during a commit', { cause })
    this.name = 'OutcomeUnknown'
    this.mark = mark
    this.outcomes = outcomes
  }
}

/**
 * Runs the calls and commits. Throws `OutcomeUnknown`, and what concerns the transaction as a whole; then nothing has changed.
 * What one call alone is refused for is its outcome.
 */
export async function runTransaction(
  session: Session,
  lane: Lane,
  calls: readonly Call[],
  parts: TransactionParts,
): Promise<readonly Outcome[]> {
  const mark = randomBytes(12)
  // What opens the transaction goes out with the first statements of the first mutation; a failure of it would be theirs too.
  const opened = Promise.all([
    session.exec('BEGIN'),
    lock(session, lane, parts.statements),
    session.query(parts.statements.get('INSERT INTO commit_mark (account, mark, made_at) VALUES (?, ?, ?)'), [
      accountOf(lane),
      mark,
      Math.floor(parts.nowMs),
    ]),
  ])
  opened.catch(() => {})
  const outcomes: Outcome[] = []
  try {
    if (calls.length === 1) outcomes.push(await runAlone(session, calls[0] as Call, parts))
    else for (const call of calls) outcomes.push(await runInGroup(session, call, parts))
    await opened
  } catch (error) {
    // The first failure is the reason of all that follow it.
    const reason = await opened.then(
      () => error,
      (first: unknown) => first,
    )
    if (!session.isEnded) await session.exec('ROLLBACK')
    throw reason
  }
  if (outcomes.every(outcome => outcome.kind === 'refused')) {
    await session.exec('ROLLBACK')
    return outcomes
  }
  await commit(session, mark, outcomes)
  return outcomes
}

/**
 * Whether the transaction of this mark was committed. It takes the same lock, so it waits while that transaction may still end either way.
 * Throws what `Session` throws.
 */
export async function wasCommitted(
  session: Session,
  lane: Lane,
  mark: Buffer,
  statements: Statements,
): Promise<boolean> {
  const [, , found] = await Promise.all([
    session.exec('BEGIN'),
    lock(session, lane, statements),
    session.query(statements.get('SELECT 1 FROM commit_mark WHERE account = ? AND mark = ?'), [
      accountOf(lane),
      mark,
    ]),
    session.exec('COMMIT'),
  ])
  return found.rows.length > 0
}

function accountOf(lane: Lane): number {
  return lane === 'directory' ? 0 : lane
}

async function lock(session: Session, lane: Lane, statements: Statements): Promise<void> {
  if (lane === 'directory') await session.exec(`SELECT pg_advisory_xact_lock(${directoryLock})`)
  else
    await session.query(statements.get('SELECT 1 FROM account WHERE id = ? FOR NO KEY UPDATE'), [
      lane as number,
    ])
}

async function runAlone(session: Session, call: Call, parts: TransactionParts): Promise<Outcome> {
  const tx = new PostgresTx({ session, ...parts })
  try {
    const result = await mutationOf(call.name)(tx, call.args)
    return { kind: 'done', result, hints: tx.end() }
  } catch (error) {
    tx.end()
    if (concernsAll(error)) throw error
    return { kind: 'refused', error }
  }
}

async function runInGroup(session: Session, call: Call, parts: TransactionParts): Promise<Outcome> {
  const tx = new PostgresTx({ session, ...parts })
  try {
    const result = await withSavepoint(
      session,
      'mutation',
      () => mutationOf(call.name)(tx, call.args),
      () => {},
    )
    return { kind: 'done', result, hints: tx.end() }
  } catch (error) {
    tx.end()
    if (concernsAll(error)) throw error
    return { kind: 'refused', error }
  }
}

function mutationOf(name: MutationName): Mutation<unknown, unknown> {
  const mutation = mutations[name] as unknown as Mutation<unknown, unknown> | undefined
  if (!mutation) throw new Error(`no such mutation: ${name}`)
  return mutation
}

async function commit(session: Session, mark: Buffer, outcomes: readonly Outcome[]): Promise<void> {
  let command: string
  try {
    command = (await session.exec('COMMIT')).command
  } catch (error) {
    // An ERROR, other than what ends the session, has undone the transaction.
    if (isServerFailure(error) && error.severity === 'ERROR' && !session.isEnded) throw error
    throw new OutcomeUnknown(mark, outcomes, error)
  }
  if (command !== 'COMMIT')
    throw new StoreError('unavailable', 'a statement failed and its mutation did not say so')
}
