// The database: whether it can be reached and written, keeps what it promises, and has room for all nodes.
import type { Log } from '../../base/log.ts'
import { limits } from '../../base/limits.ts'
import type { PostgresPlace } from '../../store/postgres/place.ts'
import { Session, type SessionTarget } from '../../store/postgres/session.ts'
import { parseTarget } from '../../store/postgres/target.ts'
import { fillingSql } from '../../store/filling.ts'
import { schemaVersion } from '../../store/sqlite/migrate.ts'
import { type DoctorItem, item, judge, reasonOf } from './item.ts'

export interface DatabaseExamination {
  readonly place: PostgresPlace
  /** Sessions that one node of this configuration opens. */
  readonly sessionsPerNode: number
  readonly log: Log
}

/** The oldest that has all that the store uses. */
const leastVersion = 15
const pings = 20

type Facts = Readonly<Record<string, unknown>>

/** Each host of the address, then the one that serves. */
export async function examineDatabase(examination: DatabaseExamination): Promise<readonly DoctorItem[]> {
  const items: DoctorItem[] = []
  let primary: Session | undefined
  try {
    for (const target of parseTarget(examination.place.url, examination.place.tls)) {
      const { session, found } = await examineHost(target)
      items.push(found)
      if (!session) continue
      const [row] = (await session.exec('SELECT pg_is_in_recovery() AS standby')).rows
      if (!primary && Number(row?.['standby']) === 0) primary = session
      else await session.close()
    }
    if (!primary) {
      const facts = {
        expected: 'one of the hosts is the primary',
        actual: 'none can be written',
        fix: 'start the database, or end its failover: mail is refused for now until then',
      }
      return [...items, item('database-primary', 'fail', facts)]
    }
    for (const examine of examinations) items.push(...(await examineOne(examine, primary, examination)))
    return items
  } finally {
    await primary?.close()
  }
}

async function examineHost(
  target: SessionTarget,
): Promise<{ readonly session?: Session; readonly found: DoctorItem }> {
  const expected = 'it answers'
  const name = `${target.host}:${target.port}`
  try {
    const session = await Session.open(target)
    return { session, found: item('database-host', 'ok', { expected, actual: name, fix: '' }) }
  } catch (error) {
    const facts = {
      expected,
      actual: `${name}: ${reasonOf(error)}`,
      fix: 'look at store.url and store.tls, the firewall, pg_hba.conf and whether it runs',
    }
    return { found: item('database-host', 'fail', facts) }
  }
}

type Examine = (session: Session, examination: DatabaseExamination) => Promise<DoctorItem>

async function examineOne(
  examine: Examine,
  session: Session,
  examination: DatabaseExamination,
): Promise<readonly DoctorItem[]> {
  try {
    return [await examine(session, examination)]
  } catch (error) {
    const facts = {
      expected: 'the database answers',
      actual: reasonOf(error),
      fix: 'give the user of store.url the right to ask this, or see the log of the database',
    }
    return [item(`database-${examine.name.replace(/^of/, '').toLowerCase()}`, 'fail', facts)]
  }
}

async function one(session: Session, sql: string): Promise<Facts> {
  return (await session.exec(sql)).rows[0] ?? {}
}

async function settingsOf(session: Session, names: readonly string[]): Promise<Record<string, string>> {
  const list = names.map(name => `'${name}'`).join(', ')
  const { rows } = await session.exec(`SELECT name, setting FROM pg_settings WHERE name IN (${list})`)
  return Object.fromEntries(rows.map(row => [String(row['name']), String(row['setting'])]))
}

const examinations: readonly Examine[] = [
  async function ofVersion(session) {
    const { server_version: version = '' } = await settingsOf(session, ['server_version'])
    return item('database-version', Number.parseInt(version, 10) >= leastVersion ? 'ok' : 'fail', {
      expected: `PostgreSQL ${leastVersion} or later`,
      actual: version,
      fix: 'upgrade the database server',
    })
  },
  async function ofEncoding(session) {
    const { server_encoding: encoding = '' } = await settingsOf(session, ['server_encoding'])
    return item('database-encoding', encoding === 'UTF8' ? 'ok' : 'fail', {
      expected: 'UTF8',
      actual: encoding,
      fix: `make the database anew: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`,
    })
  },
  async function ofPrivileges(session) {
    const row = await one(
      session,
      `SELECT current_user AS name, has_schema_privilege(current_schema(), 'CREATE') AS can_create,
         (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename IN ('account', 'message', 'blob') AND tableowner <> current_user) AS foreign_tables`,
    )
    const isFine = Number(row['can_create']) === 1 && Number(row['foreign_tables']) === 0
    return item('database-privileges', isFine ? 'ok' : 'fail', {
      expected: 'the user may make tables and owns those of the store, which an upgrade changes',
      actual: isFine ? `${String(row['name'])} may` : `${String(row['name'])} may not`,
      fix: `ALTER DATABASE … OWNER TO ${String(row['name'])}; REASSIGN OWNED BY …`,
    })
  },
  async function ofSchema(session) {
    const exists = await one(session, `SELECT to_regclass('schema_version') IS NOT NULL AS there`)
    const version = Number(exists['there'])
      ? Number((await one(session, 'SELECT max(version) AS version FROM schema_version'))['version'])
      : 0
    const isFilling = version > 0 && (await session.exec(fillingSql)).rows.length > 0
    return item('database-schema', isFilling ? 'fail' : version === schemaVersion ? 'ok' : 'warn', {
      expected: `schema ${schemaVersion}, whole`,
      actual: isFilling ? 'it is being filled by restante migrate' : `schema ${version}`,
      fix: isFilling
        ? 'run restante migrate to its end'
        : 'start this version, which brings it up; or upgrade the program',
    })
  },
  async function ofDurability(session) {
    const names = ['fsync', 'full_page_writes', 'synchronous_commit']
    const found = await settingsOf(session, names)
    const isFine =
      found['fsync'] === 'on' && found['full_page_writes'] === 'on' && found['synchronous_commit'] !== 'off'
    return item('database-durability', isFine ? 'ok' : 'fail', {
      expected: 'fsync on, full_page_writes on, synchronous_commit not off',
      actual: names.map(name => `${name} ${found[name]}`).join(', '),
      fix: 'set them in postgresql.conf: acknowledged mail is lost by a crash otherwise',
    })
  },
  async function ofReplication(session) {
    const { synchronous_standby_names: names = '' } = await settingsOf(session, ['synchronous_standby_names'])
    const row = await one(
      session,
      `SELECT count(*) AS standbys, count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')) AS synchronous,
         coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 AS lag FROM pg_stat_replication`,
    )
    const standbys = Number(row['standbys'])
    const synchronous = Number(row['synchronous'])
    const isStuck = names !== '' && synchronous === 0
    return item('database-replication', isStuck ? 'fail' : synchronous > 0 ? 'ok' : 'warn', {
      expected: 'a standby has each commit before it is acknowledged',
      actual: `${standbys} standbys, ${synchronous} of them synchronous, ${Number(row['lag']).toFixed(1)} s behind`,
      fix: isStuck
        ? 'synchronous_standby_names is set and no such standby is connected: every commit waits for it'
        : 'add a standby and name it in synchronous_standby_names, or live with losing the last commits when the machine is lost',
    })
  },
  async function ofClock(session) {
    const startMs = Date.now()
    const row = await one(session, 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now')
    const differenceMs = Math.abs(Number(row['now']) - (startMs + Date.now()) / 2)
    return item('database-clock', judge(differenceMs, 1000, 30_000), {
      expected: 'the clocks of this machine and of the database differ by less than a second',
      actual: `${Math.round(differenceMs)} ms`,
      fix: 'run an NTP client on both: leases of the queue and the list of nodes go by these clocks',
    })
  },
  async function ofLatency(session) {
    const times: number[] = []
    for (let at = 0; at < pings; at++) {
      const startMs = performance.now()
      await session.exec('SELECT 1')
      times.push(performance.now() - startMs)
    }
    const median = times.toSorted((a, b) => a - b)[pings >> 1] ?? 0
    return item('database-latency', judge(median, 5, 100), {
      expected: 'an answer within 5 ms',
      actual: `${median.toFixed(2)} ms`,
      fix: 'put the server nearer to its database: a delivery is two to four answers',
    })
  },
  async function ofConnections(session, { sessionsPerNode }) {
    const { max_connections: most = '0', superuser_reserved_connections: reserved = '0' } = await settingsOf(
      session,
      ['max_connections', 'superuser_reserved_connections'],
    )
    const exists = await one(session, `SELECT to_regclass('node') IS NOT NULL AS there`)
    const nodes = Number(exists['there'])
      ? Number(
          (
            await one(
              session,
              `SELECT count(*) AS total FROM node WHERE seen_at > ${Date.now() - limits.node.deadMs}`,
            )
          )['total'],
        )
      : 0
    const wanted = Math.max(1, nodes) * sessionsPerNode
    const room = Number(most) - Number(reserved)
    return item('database-connections', judge(wanted / room, 0.8, 1), {
      expected: `the nodes want less than ${Math.floor(room * 0.8)} of ${room} connections`,
      actual: `${Math.max(1, nodes)} nodes of ${sessionsPerNode} connections: ${wanted}`,
      fix: 'raise max_connections, or lower store.sessions or threads',
    })
  },
  async function ofTls(session, { place }) {
    const row = await one(
      session,
      `SELECT coalesce((SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), '') AS version, host(inet_client_addr()) AS client`,
    )
    const client = row['client']
    const isLocal = client === null || /^(127\.|::1$)/.test(String(client))
    const isFine = row['version'] !== '' || isLocal
    return item('database-tls', isFine ? 'ok' : 'warn', {
      expected: 'TLS, or a connection within this machine',
      actual:
        row['version'] === '' ? (isLocal ? 'within this machine' : 'not encrypted') : String(row['version']),
      fix: `set ssl = on in postgresql.conf, and store.tls.mode to verify (it is ${place.tls?.mode ?? 'auto'})`,
    })
  },
]
