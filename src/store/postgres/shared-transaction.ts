// One transaction of several accounts: their short mutations run side by side on one session and share its commit.
//
// Nothing of it can be undone alone. So where one mutation is refused, or one account is locked, all of it is undone, and each account's run in a transaction of
// their own.
import { randomBytes } from 'node:crypto'
import type { AccountId } from '../../base/ids.ts'
import { StoreError } from '../error.ts'
import { mutationOf } from '../mutations.ts'
import type { Session } from './session.ts'
import { type Call, markSql, type Outcome, sendCommit, type TransactionParts } from './transaction.ts'
import { PostgresTx } from './tx.ts'

/** The mutations of one account, in their order. */
export interface AccountCalls {
  readonly lane: AccountId
  readonly calls: readonly Call[]
}

/** Nobody waits for an account that somebody else is changing, nor in a circle: it fails at once. */
const lockSql = 'SELECT 1 FROM account WHERE id = ANY(CAST(? AS BIGINT[])) FOR NO KEY UPDATE NOWAIT'

export type SharedEnd =
  /** Outcomes of all calls, one account's behind the other's. */
  | { readonly kind: 'committed'; readonly outcomes: readonly Outcome[] }
  /** Nothing has changed. `refused` are the accounts of which a mutation was. */
  | { readonly kind: 'undone'; readonly refused: readonly AccountId[] }

/** Runs the calls and commits, or undoes all of it. Throws `OutcomeUnknown`. */
export async function runTogether(
  session: Session,
  accounts: readonly AccountCalls[],
  parts: TransactionParts,
): Promise<SharedEnd> {
  const { statements, nowMs } = parts
  const mark = randomBytes(12)
  const lanes = accounts.map(({ lane }) => lane)
  const opened = Promise.all([
    session.begin(),
    session.query(statements.get(lockSql), [`{${lanes.join(',')}}`]),
    session.query(statements.get(markSql), [Math.min(...lanes), mark, Math.floor(nowMs)]),
  ]).then(
    () => true,
    () => false,
  )
  const runs = accounts.map(({ calls }) => new AccountRun(session, calls, parts))
  // What one of them does may still be on its way when another is refused.
  const ends = await Promise.all(runs.map(run => run.run()))
  if ((await opened) && ends.every(end => end === 'done')) {
    const outcomes = runs.flatMap(run => run.outcomes)
    const undone = await sendCommit(session, mark, outcomes)
    return undone ? { kind: 'undone', refused: [] } : { kind: 'committed', outcomes }
  }
  if (!session.isEnded) await session.rollBack()
  return { kind: 'undone', refused: lanes.filter((_, at) => ends[at] === 'refused') }
}

/** The calls of one account in the shared transaction. */
class AccountRun {
  readonly #session: Session
  readonly #calls: readonly Call[]
  readonly #parts: TransactionParts
  readonly outcomes: Outcome[] = []

  constructor(session: Session, calls: readonly Call[], parts: TransactionParts) {
    this.#session = session
    this.#calls = calls
    this.#parts = parts
  }

  /** `failed`: by the server, perhaps because of another account's. Its own transaction will say why. */
  async run(): Promise<'done' | 'refused' | 'failed'> {
    for (const { name, args } of this.#calls) {
      const tx = new PostgresTx({ session: this.#session, ...this.#parts, isShared: true })
      try {
        const result = await mutationOf(name)(tx, args)
        this.outcomes.push({ kind: 'done', result, hints: tx.end() })
      } catch (error) {
        tx.end()
        return error instanceof StoreError ? 'refused' : 'failed'
      }
      if (tx.isBroken) return 'refused'
    }
    return 'done'
  }
}
