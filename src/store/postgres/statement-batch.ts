// Prepared statements that go out together and share one Sync, so that the server sends its answers together as well: pg's own query ends each statement with
// one, and has each described anew. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
import pg from 'pg'
import { parserOf, type Statement, type toParameter } from './dialect.ts'
import { isServerFailure } from './server-error.ts'

/** What a statement answered. */
export interface StepAnswer {
  readonly rows: readonly unknown[]
  /** Rows changed, or found. */
  readonly count: number
  /** The first word of the statement, as the server understood it. */
  readonly command: string
  /** What the server warned of meanwhile (SQLSTATE 01000). */
  readonly warning: string | undefined
}

/** A value as a message carries it. */
export type Parameter = ReturnType<typeof toParameter>

/** One statement of a batch, with who waits for it. */
export interface Step {
  readonly statement: Statement
  readonly values: readonly Parameter[]
  readonly rowMode?: 'array' | undefined
  readonly resolve: (answer: StepAnswer) => void
  readonly reject: (error: unknown) => void
}

/** A column of an answer. */
interface Column {
  readonly name: string
  readonly parse: (text: string) => unknown
}

/** The columns of a statement's answer; none until they are known. */
interface Shape {
  columns: readonly Column[]
}

/** What one session has prepared, by the names of the statements. */
export type Prepared = Map<string, Shape>

/** pg's connection, as far as it is used here. */
interface Wire {
  close(message: { readonly type: 'S'; readonly name: string }): void
  parse(message: { readonly name: string; readonly text: string }): void
  describe(message: { readonly type: 'S'; readonly name: string }): void
  bind(message: {
    readonly statement: string
    readonly values: readonly Parameter[]
    readonly valueMapper: (value: Parameter) => string | Buffer | null
  }): void
  execute(message: Record<string, never>): void
  sync(): void
}

/** Parts of messages of the server. */
interface RowDescription {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[]
}
interface DataRow {
  readonly fields: readonly (string | null)[]
}
interface CommandComplete {
  readonly text: string
}

/**
 * Everything is settled when the server is ready again: what a statement outside a transaction wrote is committed only then. Where one fails those behind it are
 * not run, and fail with its error. (pg pipelines only what is a query of its own, hence the class.)
 */
export class StatementBatch extends pg.Query {
  readonly #steps: readonly Step[]
  readonly #prepared: Prepared
  readonly #takeWarning: () => string | undefined
  readonly #answers: StepAnswer[] = []
  /** Of the answers to the steps. */
  readonly #shapes: Shape[] = []
  #rows: unknown[] = []
  /** What a row of the step under way could not be read for. */
  #unreadable: unknown
  readonly #failures = new Map<number, unknown>()

  /** `takeWarning` gives what the server has warned of since it was asked last. */
  constructor(steps: readonly Step[], prepared: Prepared, takeWarning: () => string | undefined) {
    super('')
    this.#steps = steps
    this.#prepared = prepared
    this.#takeWarning = takeWarning
    this.submit = connection => this.#submit(connection as unknown as Wire)
  }

  #submit(wire: Wire): void {
    for (const { statement, values } of this.#steps) {
      const { name = '', text } = statement
      let shape = this.#prepared.get(name)
      if (!shape) {
        shape = { columns: [] }
        if (name !== '') {
          this.#prepared.set(name, shape)
          // It may be there from an attempt that failed; to close what is not there is no error.
          wire.close({ type: 'S', name })
        }
        wire.parse({ name, text })
        wire.describe({ type: 'S', name })
      }
      this.#shapes.push(shape)
      wire.bind({ statement: name, values, valueMapper: toWire })
      wire.execute({})
    }
    wire.sync()
  }

  get #shape(): Shape {
    return this.#shapes[this.#answers.length] as Shape
  }

  handleRowDescription({ fields }: RowDescription): void {
    this.#shape.columns = fields.map(({ name, dataTypeID }) => ({ name, parse: parserOf(dataTypeID) }))
  }

  handleDataRow({ fields }: DataRow): void {
    const { columns } = this.#shape
    const rowMode = this.#steps[this.#answers.length]?.rowMode
    try {
      this.#rows.push(rowMode === 'array' ? arrayOf(columns, fields) : objectOf(columns, fields))
    } catch (error) {
      this.#unreadable ??= error
    }
  }

  handleCommandComplete({ text }: CommandComplete): void {
    if (this.#unreadable !== undefined) this.#failures.set(this.#answers.length, this.#unreadable)
    this.#unreadable = undefined
    const [command = '', ...numbers] = text.split(' ')
    const count = Number(numbers.at(-1) ?? 0)
    this.#answers.push({ rows: this.#rows, count, command, warning: this.#takeWarning() })
    this.#rows = []
  }

  handleReadyForQuery(): void {
    this.#settle()
  }

  handleError(error: unknown): void {
    // A statement outside a transaction is answered before its commit.
    const isRun = isServerFailure(error) && this.#answers.length < this.#steps.length
    if (!isRun) this.#answers.length = 0
    for (const { statement } of this.#steps.slice(this.#answers.length))
      if (statement.name !== undefined) this.#prepared.delete(statement.name)
    this.#settle(error)
  }

  #settle(error?: unknown): void {
    for (const [at, step] of this.#steps.entries()) {
      const answer = this.#answers[at]
      if (!answer) step.reject(error)
      else if (this.#failures.has(at)) step.reject(this.#failures.get(at))
      else step.resolve(answer)
    }
  }
}

function arrayOf(columns: readonly Column[], fields: readonly (string | null)[]): unknown[] {
  return fields.map((text, at) => (text === null ? null : (columns[at] as Column).parse(text)))
}

function objectOf(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let at = 0; at < fields.length; at++) {
    const { name, parse } = columns[at] as Column
    const text = fields[at] as string | null
    row[name] = text === null ? null : parse(text)
  }
  return row
}

function toWire(value: Parameter): string | Buffer | null {
  return typeof value === 'number' ? String(value) : value
}
