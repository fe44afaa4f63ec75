// One session with PostgreSQL: statements go out at once, one behind the other, and are answered in order.
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { limits } from '../../base/limits.ts'
import type { SqlValue } from '../store.ts'
import { parserOf, type Statement, toParameter } from './dialect.ts'
import { ConnectionLost, isEnding, isServerFailure } from './server-error.ts'
import { type Prepared, StatementBatch, type Step, type StepAnswer } from './statement-batch.ts'

export interface SessionTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | undefined
  readonly database: string
  readonly tls: ConnectionOptions | undefined
}

export interface Rows<Row> extends StepAnswer {
  readonly rows: readonly Row[]
}

export interface SessionEvents {
  readonly onNotification?: ((payload: string) => void) | undefined
}

/**
 * Plans are made once for any value, and by index: statistics of a table that was small a minute ago must not decide.
 * What waits too long for a lock, or is forgotten in a transaction, gives up.
 */
const settings = `SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan;
  SET lock_timeout = ${limits.postgres.lockMs}; SET statement_timeout = ${limits.postgres.statementMs};
  SET idle_in_transaction_session_timeout = ${limits.postgres.idleInTransactionMs};`

export class Session {
  readonly #client: pg.Client
  readonly #whenEnded = Promise.withResolvers<void>()
  #pending = 0
  #warning: string | undefined
  #ended: Error | undefined
  #isClosing = false
  #isGathering = false
  readonly #prepared: Prepared = new Map()
  #isInTransaction = false
  /** Statements of a transaction that go out at the end of this turn of the event loop. */
  #gathered: Step[] = []
  readonly #target: SessionTarget
  readonly #watch: NodeJS.Timeout
  /** Whether anything was answered since the last look. */
  #isAnswered = true
  #isLookedAfter = false

  private constructor(client: pg.Client, target: SessionTarget, events: SessionEvents) {
    this.#client = client
    this.#target = target
    this.#watch = setInterval(() => void this.#lookAfter(), limits.postgres.silentMs).unref()
    client.on('error', error => this.#end(error))
    client.on('end', () => this.#end(new Error('the server closed it')))
    client.on('notice', ({ code, message }) => {
      if (code === '01000') this.#warning = message
    })
    client.on('notification', ({ payload }) => {
      if (payload !== undefined) events.onNotification?.(payload)
    })
  }

  /** Throws `ConnectionLost`, or what the server refuses it with. */
  static async open(target: SessionTarget, events: SessionEvents = {}): Promise<Session> {
    const client = clientOf(target)
    const session = new Session(client, target, events)
    try {
      await client.connect()
      await session.exec(settings)
      return session
    } catch (error) {
      void session.close()
      throw session.#failure(error)
    }
  }

  /** Statements that are not answered yet. */
  get pending(): number {
    return this.#pending
  }

  /** Over: no statement will be answered. */
  get isEnded(): boolean {
    return this.#ended !== undefined
  }

  /** Settles then. */
  get whenEnded(): Promise<void> {
    return this.#whenEnded.promise
  }

  /** Runs a prepared statement. Throws `ConnectionLost` and what the server says. */
  async query<Row>(statement: Statement, values: readonly SqlValue[], rowMode?: 'array'): Promise<Rows<Row>> {
    if (this.#ended) throw new ConnectionLost(this.#ended)
    const { promise, resolve, reject } = Promise.withResolvers<Rows<Row>>()
    this.#gathered.push({
      statement,
      values: values.map(toParameter),
      rowMode,
      resolve: answer => {
        this.#answered()
        resolve(answer as Rows<Row>)
      },
      reject: error => {
        this.#answered()
        reject(this.#failure(error))
      },
    })
    this.#pending++
    this.#gather()
    if (!this.#isInTransaction) this.#flush()
    return promise
  }

  /** Runs SQL without placeholders, several statements if need be. */
  async exec(sql: string): Promise<Rows<Record<string, unknown>>> {
    if (this.#ended) throw new ConnectionLost(this.#ended)
    const { promise, resolve, reject } = Promise.withResolvers<Rows<Record<string, unknown>>>()
    this.#flush()
    this.#gather()
    this.#pending++
    this.#client.query(sql, (error: Error | null, result: unknown) => {
      this.#answered()
      const warning = this.#takeWarning()
      if (error) {
        reject(this.#failure(error))
        return
      }
      // Several statements in one text have several results.
      const last = (Array.isArray(result) ? result.at(-1) : result) as pg.QueryResult
      const rows = last.rows as Record<string, unknown>[]
      resolve({ rows, count: last.rowCount ?? 0, command: last.command, warning })
    })
    return promise
  }

  /** Begins a transaction: until its end all that is asked in one turn of the event loop is one batch, in which what comes behind a failure is not run. */
  begin(): Promise<unknown> {
    this.#isInTransaction = true
    return this.control('BEGIN')
  }

  /** Sends COMMIT. Where it fails, or a statement before it, the transaction is to be rolled back. */
  async commit(): Promise<Rows<unknown>> {
    const answer = await this.control('COMMIT')
    this.#isInTransaction = false
    return answer
  }

  async rollBack(): Promise<void> {
    await this.exec('ROLLBACK')
    this.#isInTransaction = false
  }

  /** Runs one of the few texts that control a transaction, as a statement of its batch. */
  control(text: string): Promise<Rows<unknown>> {
    return this.query({ name: text, text }, [])
  }

  /** Waits for the answers that are still to come, for a while. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    await Promise.race([
      this.#client.end().catch(() => {}),
      new Promise(resolve => {
        setTimeout(resolve, limits.postgres.closeMs).unref()
      }),
    ])
    this.destroy()
  }

  /** Ends it at once. */
  destroy(): void {
    this.#isClosing = true
    clearInterval(this.#watch)
    streamOf(this.#client).destroy()
  }

  /** An answer has come, or a failure in its place. */
  #answered(): void {
    this.#pending--
    this.#isAnswered = true
  }

  #takeWarning(): string | undefined {
    const warning = this.#warning
    this.#warning = undefined
    return warning
  }

  #flush(): void {
    if (this.#gathered.length === 0) return
    const steps = this.#gathered
    this.#gathered = []
    this.#client.query(new StatementBatch(steps, this.#prepared, () => this.#takeWarning()))
  }

  /**
   * A machine that is gone without a farewell does not answer, and TCP takes a quarter of an hour to say so. What takes its time, such as a wait for a lock, is told
   * from that by whether the server lets somebody else in.
   */
  async #lookAfter(): Promise<void> {
    if (this.#isLookedAfter || this.#ended) return
    const isSilent = this.#pending > 0 && !this.#isAnswered
    this.#isAnswered = false
    if (!isSilent) return
    this.#isLookedAfter = true
    const isThere = await answers(this.#target)
    this.#isLookedAfter = false
    if (!isThere && !this.#isAnswered) this.#end(new Error('the server is silent'))
  }

  /** All that one turn of the event loop sends leaves in one write: a system call costs more than a statement. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const stream = streamOf(this.#client)
    stream.cork()
    process.nextTick(() => {
      this.#isGathering = false
      this.#flush()
      stream.uncork()
    })
  }

  /** What the server says is passed on; anything else means that it is gone, unless it is a bug of ours that was never sent. */
  #failure(error: unknown): unknown {
    if (isServerFailure(error)) {
      if (isEnding(error)) this.#end(error)
      return error
    }
    if (error instanceof TypeError || error instanceof RangeError) return error
    return error instanceof ConnectionLost ? error : new ConnectionLost(error)
  }

  #end(error: Error): void {
    if (this.#ended) return
    this.#ended = error
    this.destroy()
    this.#whenEnded.resolve()
  }
}

function clientOf({ tls, ...place }: SessionTarget): pg.Client {
  return new pg.Client({
    ...place,
    ...(tls && { ssl: tls }),
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: limits.postgres.keepAliveMs,
    application_name: 'restante',
    connectionTimeoutMillis: limits.postgres.connectMs,
    types: { getTypeParser: parserOf as never },
  } as pg.ClientConfig)
}

/** Whether a server is there, if only to refuse. */
async function answers(target: SessionTarget): Promise<boolean> {
  const client = clientOf(target)
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch (error) {
    return isServerFailure(error)
  } finally {
    streamOf(client).destroy()
  }
}

function streamOf(client: pg.Client): Duplex {
  return (client as unknown as { readonly connection: { readonly stream: Duplex } }).connection.stream
}
