// Databases for tests: each has its own, on the run's server or the one that RESTANTE_TEST_POSTGRES names (postgres://USER@HOST:PORT, without a database).
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'
import pg from 'pg'

export interface TestDatabase {
  readonly url: string
  /** Runs SQL beside the store, several statements if need be; the rows of the last. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>
}

const made: string[] = []

after(async () => {
  for (const name of made)
    await queryOnce(`${await serverUrl()}/postgres`, `DROP DATABASE ${name} WITH (FORCE)`)
})

/** An empty database that is dropped after the tests of this file. */
export async function createDatabase(): Promise<TestDatabase> {
  const server = await serverUrl()
  const name = `restante_${randomUUID().replaceAll('-', '')}`
  const url = `${server}/${name}`
  const query = (sql: string) => queryOnce(url, sql)
  await queryOnce(`${server}/postgres`, `CREATE DATABASE ${name}`)
  made.push(name)
  return { url, query }
}

async function serverUrl(): Promise<string> {
  const given = process.env['RESTANTE_TEST_POSTGRES']
  if (given) return given
  const port = process.env['RESTANTE_TEST_SERVICES']
  if (!port) throw new Error('tests with a database are run by: npm test -- FILE')
  const answer = await text(connect(Number(port), '127.0.0.1'))
  if (!answer.startsWith('postgres://')) throw new Error(answer)
  return answer
}

async function queryOnce(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const results = [await client.query<Record<string, unknown>>(sql)].flat()
    return results.at(-1)?.rows ?? []
  } finally {
    await client.end()
  }
}
