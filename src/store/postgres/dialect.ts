// The shared SQL as PostgreSQL has it. Everything that differs in text is here.

/** A statement by the name under which each session prepares it; undefined where texts are too many to keep. */
export interface Statement {
  readonly name: string | undefined
  readonly text: string
}

/** Statements that keep a name; each session holds a plan for those it has used. */
const maxNames = 1000

/** Translates each text once. */
export class Statements {
  readonly #known = new Map<string, Statement>()

  get(sql: string): Statement {
    const known = this.#known.get(sql)
    if (known) return known
    const isNamed = this.#known.size < maxNames
    const statement = { name: isNamed ? `s${this.#known.size}` : undefined, text: numberPlaceholders(sql) }
    if (isNamed) this.#known.set(sql, statement)
    return statement
  }
}

/** `?` as `$1`, `$2` …; a `?` in quotes stays. */
export function numberPlaceholders(sql: string): string {
  let count = 0
  return sql.replace(/'[^']*'|"[^"]*"|\?/g, part => (part === '?' ? `$${++count}` : part))
}

/** A schema step. Texts compare byte by byte, as on SQLite, whatever the database's own order is. */
export function translateSchema(sql: string): string {
  return sql
    .replace(/\bINTEGER\b/g, 'BIGINT')
    .replace(/\bBLOB\b/g, 'BYTEA')
    .replace(/\bTEXT\b/g, 'TEXT COLLATE "C"')
    .replace(/\) WITHOUT ROWID/g, ')')
}

/** Type numbers of PostgreSQL that the store meets (pg_type.oid). */
const oid = { boolean: 16, bytes: 17, int8: 20, int2: 21, int4: 23, float4: 700, float8: 701, numeric: 1700 }

/** How a value that the server sends as text becomes what SQLite would give. */
export function parserOf(type: number): (text: string) => unknown {
  switch (type) {
    case oid.int8:
    case oid.int2:
    case oid.int4:
    case oid.numeric:
      return parseNumber
    case oid.float4:
    case oid.float8:
      return Number
    case oid.bytes:
      return parseBytes
    case oid.boolean:
      return text => (text === 't' ? 1 : 0)
    default:
      return text => text
  }
}

function parseNumber(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`a number of the store is out of range: ${text}`)
  return value
}

function parseBytes(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex')
}

/** A parameter. PostgreSQL's text has no NUL; what a message says with one is kept with U+FFFD in its place. */
export function toParameter(value: string | number | Uint8Array | null): string | number | Buffer | null {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  // Columns hold whole numbers; a time that was reckoned may have a fraction.
  if (typeof value === 'number') return Math.floor(value)
  if (value === null) return value
  throw new TypeError('not a value of a column')
}
