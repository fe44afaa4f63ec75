// One transaction of one lane: its lock, its mutations, its commit, and what became of that when the connection broke.
import { randomBytes } from 'node:crypto'
import { StoreError } from '../error.ts'
import { gather, type MutationName, mutationOf } from '../mutations.ts'
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
export const markSql = 'INSERT INTO commit_mark (account, mark, made_at) VALUES (?, ?, ?)'

/** Its COMMIT was sent and no answer came, or one that does not count. */
export class OutcomeUnknown extends Error {
  /** For `wasCommitted`. */
  readonly mark: Buffer
  readonly outcomes: readonly Outcome[]

  constructor(mark: Buffer, outcomes: readonly Outcome[], cause: unknown) {
    super('it is not known what became of a commit', { cause })
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
    session.begin(),
    lock(session, lane, parts.statements),
    session.query(parts.statements.get(markSql), [accountOf(lane), mark, Math.floor(parts.nowMs)]),
  ])
  opened.catch(() => {})
  const outcomes: Outcome[] = []
  const tx = new PostgresTx({ session, ...parts })
  try {
    const only = onlyOf(calls)
    if (only) outcomes.push(...(await runAlone(tx, only)))
    while (outcomes.length < calls.length)
      outcomes.push(...(await runNext(session, calls, outcomes.length, parts)))
    await opened
  } catch (error) {
    // The first failure is the reason of all that follow it.
    const reason = await opened.then(
      () => error,
      (first: unknown) => first,
    )
    if (!session.isEnded) await session.rollBack()
    throw reason
  }
  if (outcomes.every(outcome => outcome.kind === 'refused')) {
    await session.rollBack()
    return outcomes
  }
  return commit(session, mark, outcomes, tx)
}

/**
 * Whether the transaction of this mark was committed. It writes the same mark, which waits while that transaction may still end either way. Where that was
 * committed it writes something else, so that its own COMMIT waits for the standbys that lack what was found. Throws what `Session` throws, and `StoreError`.
 */
export async function wasCommitted(
  session: Session,
  lane: Lane,
  mark: Buffer,
  { statements, nowMs }: Pick<TransactionParts, 'statements' | 'nowMs'>,
): Promise<boolean> {
  const at = Math.floor(nowMs)
  const [, written] = await Promise.all([
    session.exec('BEGIN'),
    session.query(statements.get(`${markSql} ON CONFLICT DO NOTHING`), [accountOf(lane), mark, at]),
  ])
  if (written.count > 0) {
    // Nobody may ever find it.
    await session.exec('ROLLBACK')
    return false
  }
  const [, end] = await Promise.all([
    session.query(statements.get(markSql), [accountOf(lane), randomBytes(12), at]),
    session.exec('COMMIT'),
  ])
  if (end.warning !== undefined) throw new StoreError('unavailable', end.warning)
  return true
}

/** Undefined when the transaction is committed, else why it is undone. Throws `OutcomeUnknown`. */
export async function sendCommit(
  session: Session,
  mark: Buffer,
  outcomes: readonly Outcome[],
): Promise<{ readonly reason: unknown } | undefined> {
  try {
    const { command, warning } = await session.commit()
    // Somebody has cancelled the wait for a synchronous standby: it is committed here, and lost if this server is.
    if (warning !== undefined) throw new Error(warning)
    if (command === 'COMMIT') return undefined
    return { reason: new StoreError('unavailable', 'a statement failed and its mutation did not say so') }
  } catch (error) {
    // An ERROR, other than what ends the session, has undone the transaction or is about to.
    if (!(isServerFailure(error) && error.severity === 'ERROR') || session.isEnded)
      throw new OutcomeUnknown(mark, outcomes, error)
    await session.rollBack()
    return { reason: error }
  }
}

function accountOf(lane: Lane): number {
  return typeof lane === 'number' ? lane : 0
}

async function lock(session: Session, lane: Lane, statements: Statements): Promise<void> {
  if (lane === 'directory')
    await session.query(statements.get('SELECT pg_advisory_xact_lock(?)'), [directoryLock])
  else if (lane !== 'queue')
    await session.query(statements.get('SELECT 1 FROM account WHERE id = ? FOR NO KEY UPDATE'), [lane])
}

/** Calls that are made as one. */
interface Joined extends Call {
  readonly count: number
  /** What each of them would have been answered. */
  readonly split: (result: unknown) => readonly unknown[]
}

/** All the calls as one, where each is refused if that is. */
function onlyOf(calls: readonly Call[]): Joined | undefined {
  const [first] = calls
  if (first && calls.length === 1) return { ...first, count: 1, split: result => [result] }
  const gathered = gather(calls, 0)
  return gathered?.count === calls.length && gathered.isRefusedAsOne ? gathered : undefined
}

/** What it left goes on, and is answered with the commit. */
async function runAlone(tx: PostgresTx, call: Joined): Promise<readonly Outcome[]> {
  try {
    const result = await mutationOf(call.name)(tx, call.args)
    return outcomesOf(call, { kind: 'done', result, hints: tx.end() })
  } catch (error) {
    tx.end()
    return outcomesOf(call, refusal(tx.reasonOf(error)))
  }
}

/** The outcomes of the call at `at` and of those behind it that can be made as one with it. */
async function runNext(
  session: Session,
  calls: readonly Call[],
  at: number,
  parts: TransactionParts,
): Promise<readonly Outcome[]> {
  const gathered = gather(calls, at)
  if (gathered) {
    const outcome = await runInGroup(session, gathered, parts)
    if (outcome.kind === 'done' || gathered.isRefusedAsOne) return outcomesOf(gathered, outcome)
  }
  const outcomes: Outcome[] = []
  for (const call of calls.slice(at, at + (gathered?.count ?? 1)))
    outcomes.push(await runInGroup(session, call, parts))
  return outcomes
}

function outcomesOf({ count, split }: Joined, outcome: Outcome): readonly Outcome[] {
  if (outcome.kind === 'done') return split(outcome.result).map(result => ({ ...outcome, result }))
  return Array.from({ length: count }, () => outcome)
}

async function runInGroup(session: Session, call: Call, parts: TransactionParts): Promise<Outcome> {
  const tx = new PostgresTx({ session, ...parts })
  try {
    const result = await withSavepoint(
      session,
      'mutation',
      async () => {
        const done = await mutationOf(call.name)(tx, call.args)
        await tx.settle()
        return done
      },
      () => {},
    )
    return { kind: 'done', result, hints: tx.end() }
  } catch (error) {
    tx.end()
    return refusal(tx.reasonOf(error))
  }
}

/** What one call alone is refused for; throws what concerns the transaction. */
function refusal(error: unknown): Outcome {
  if (concernsAll(error)) throw error
  return { kind: 'refused', error }
}

/** Goes out behind what `tx` left: where a statement of that fails, the COMMIT is not run, or PostgreSQL makes a ROLLBACK of it. */
async function commit(
  session: Session,
  mark: Buffer,
  outcomes: readonly Outcome[],
  tx: PostgresTx,
): Promise<readonly Outcome[]> {
  const settled = tx.settle().then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  const undone = await sendCommit(session, mark, outcomes)
  if (!undone) return outcomes
  const failed = await settled
  if (failed) return outcomes.map(() => refusal(failed.error))
  throw undone.reason
}
