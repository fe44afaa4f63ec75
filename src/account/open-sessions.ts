// The sessions of one thread that somebody has logged in to: no account has too many, and each ends when its log-in is no longer good.
//
// Invariants:
// - From its log-in to its end a session is in the group of its account, and of the administrator's who acts for it.
// - The directory says after each commit whose log-ins may have ended (`standingHint`); then the sessions of that account alone are looked up again.
import type { AccountId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { standingHint } from '../store/mutations/directory-changed.ts'
import { type CredentialRow, findLogin, type LoginRow } from '../store/read/credential.ts'
import type { Store } from '../store/store.ts'
import type { Identity, Proof } from './identity.ts'
import { LoginError } from './login-error.ts'
import type { SessionCounts } from './session-counts.ts'

/** What is asked of a connection. */
export interface LoggedIn {
  /** Asks the session to say farewell, after the command that runs. */
  shutdown(reason: 'account'): void
  onClose(callback: () => void): void
}

interface OpenSession {
  readonly identity: Identity
  readonly connection: LoggedIn
}

interface Group {
  readonly sessions: Set<OpenSession>
  readonly unwatch: () => void
}

export interface OpenSessionsOptions {
  readonly store: Store
  readonly log: Log
  readonly counts: SessionCounts
  /** Of one account, at the same time. */
  readonly most: number
}

export class OpenSessions {
  readonly #options: OpenSessionsOptions
  readonly #groups = new Map<AccountId, Group>()

  constructor(options: OpenSessionsOptions) {
    this.#options = options
  }

  /**
   * A session begins on `connection`, which is its end as well, unless the function that is given back is called before. Throws `LoginError`
   * `too-many-sessions`.
   */
  open(identity: Identity, connection: LoggedIn): () => void {
    const { counts, most } = this.#options
    const { account, proof } = identity
    if (counts.of(account) >= most) throw new LoginError('too-many-sessions', `${most} sessions are open`)
    counts.add(account, 1)
    const session = { identity, connection }
    const accounts = proof && proof.account !== account ? [account, proof.account] : [account]
    for (const each of accounts) this.#groupOf(each).sessions.add(session)
    let isOpen = true
    const close = () => {
      if (!isOpen) return
      isOpen = false
      counts.add(account, -1)
      for (const each of accounts) this.#leave(each, session)
    }
    connection.onClose(close)
    return close
  }

  #groupOf(account: AccountId): Group {
    const known = this.#groups.get(account)
    if (known) return known
    const look = () => {
      this.#look(account).catch((error: unknown) => {
        const err = error instanceof Error ? error : new Error(String(error))
        this.#options.log.warn({ account, err }, 'it could not be looked up whether log-ins are still good')
      })
    }
    const group = {
      sessions: new Set<OpenSession>(),
      unwatch: this.#options.store.watch(standingHint(account), look),
    }
    this.#groups.set(account, group)
    return group
  }

  #leave(account: AccountId, session: OpenSession): void {
    const group = this.#groups.get(account)
    group?.sessions.delete(session)
    if (group?.sessions.size !== 0) return
    group.unwatch()
    this.#groups.delete(account)
  }

  async #look(account: AccountId): Promise<void> {
    for (const session of Array.from(this.#groups.get(account)?.sessions ?? [])) {
      if (!(await this.#isGood(session.identity))) session.connection.shutdown('account')
    }
  }

  /** Whether the log-in would succeed again. */
  async #isGood({ account, address, isAdmin, actingAdmin, proof }: Identity): Promise<boolean> {
    const { reader } = this.#options.store
    const own = await findLogin(reader, address)
    if (own?.account !== account || own.state !== 'active' || (isAdmin && !own.isAdmin)) return false
    const prover = actingAdmin === undefined ? own : await findLogin(reader, actingAdmin)
    if (!prover || prover.state !== 'active' || (actingAdmin !== undefined && !prover.isAdmin)) return false
    return proof === undefined || isThere(proof, prover)
  }
}

function isThere({ account, credential }: Proof, row: LoginRow): boolean {
  if (row.account !== account) return false
  return credential === undefined || row.credentials.some(each => isSame(each, credential))
}

function isSame(row: CredentialRow, { kind, name, createdAt }: NonNullable<Proof['credential']>): boolean {
  return row.kind === kind && row.name === name && row.createdAt === createdAt
}
