// Two PostgreSQL 15 under Patroni with synchronous replication and three members of etcd, all of Debian, on loopback; parts of it can be killed and come back.
import { type ChildProcess, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { processTree } from '../../bench/process-tree.ts'
import { ended, freePorts, temporaryFolder } from '../../bench/server.ts'
import { idsOf } from '../postgres/server.ts'

/**
 * What dies of a database server: PostgreSQL and its Patroni, so that connections break; PostgreSQL alone, which Patroni starts again; or the machine, of which
 * nobody hears any more (they are stopped, and killed before they come back).
 */
export type PrimaryKill = 'server' | 'postgres' | 'machine'

/** Starts what was killed again. */
export type Revive = () => Promise<void>

/** Seconds. Patroni takes no shorter `ttl`. */
export const timing = { ttl: 20, loop_wait: 5, retry_timeout: 5 }

const bin = '/usr/lib/postgresql/15/bin'
const patroni = '/usr/bin/patroni'
const etcd = '/usr/bin/etcd'
const packages = { [join(bin, 'postgres')]: 'postgresql-15', [patroni]: 'patroni', [etcd]: 'etcd-server' }
const patienceMs = 120_000

interface Etcd {
  readonly name: string
  readonly url: string
  readonly args: readonly string[]
  child: ChildProcess | undefined
}

interface Database {
  readonly name: string
  readonly port: number
  readonly restPort: number
  readonly data: string
  readonly configFile: string
  child: ChildProcess | undefined
}

/** As Patroni's REST API tells of it. */
interface Member {
  readonly name: string
  readonly role: string
  readonly state: string
}

/** Throws with the names of the Debian packages that are missing. */
export function requirePackages(): void {
  const missing = Object.entries(packages).filter(([file]) => !existsSync(file))
  if (missing.length > 0)
    throw new Error(`missing: apt-get install ${missing.map(([, name]) => name).join(' ')}`)
}

export class PatroniCluster {
  readonly #folder: string
  readonly #user: { readonly uid: number; readonly gid: number } | undefined
  readonly #etcds: readonly Etcd[]
  readonly #databases: readonly Database[]
  readonly #endWithUs = () => {
    this.#killAll()
    this.#remove()
  }

  private constructor(folder: string, etcds: readonly Etcd[], databases: readonly Database[]) {
    this.#folder = folder
    this.#user = runsAs()
    this.#etcds = etcds
    this.#databases = databases
    process.once('exit', this.#endWithUs)
  }

  /** Settles when both databases replicate and the empty database `mail` is there. */
  static async start(): Promise<PatroniCluster> {
    requirePackages()
    const folder = temporaryFolder('drill-patroni')
    const ports = await freePorts(10)
    const etcds = etcdsOf(folder, ports.slice(0, 6))
    const cluster = new PatroniCluster(folder, etcds, databasesOf(folder, ports.slice(6)))
    try {
      await cluster.#start()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  /** For `store.url`. */
  get url(): string {
    return `postgres://restante@${this.#databases.map(({ port }) => `127.0.0.1:${port}`).join(',')}/mail`
  }

  /** Kills the primary. */
  async killPrimary(kind: PrimaryKill): Promise<Revive> {
    const leader = (await this.#members()).find(({ role }) => role === 'leader')
    const database = this.#databases.find(({ name }) => name === leader?.name)
    if (!database) throw new Error('there is no primary')
    const signal = kind === 'machine' ? 'SIGSTOP' : 'SIGKILL'
    if (kind !== 'postgres') signalTree(database.child?.pid, signal)
    signalTree(postmasterOf(database), signal)
    return async () => {
      if (kind === 'machine') await kill(database)
      if (kind !== 'postgres') this.#startPatroni(database)
      await this.untilWhole()
    }
  }

  async killEtcdLeader(): Promise<Revive> {
    const leader = await this.#etcdLeader()
    const { child } = leader
    signalTree(child?.pid, 'SIGKILL')
    if (child) await ended(child)
    return async () => {
      this.#startEtcd(leader)
      await this.untilWhole()
    }
  }

  /** Settles when nothing is missing: three members of etcd, a primary and its synchronous standby. */
  async untilWhole(): Promise<void> {
    await until('the cluster is whole', async () => {
      const healths = await Promise.all(this.#etcds.map(({ url }) => isHealthy(url)))
      const members = await this.#members()
      const has = (wanted: string) => members.some(({ role }) => role === wanted)
      const isRunning = members.every(({ state }) => state === 'running' || state === 'streaming')
      return healths.every(Boolean) && has('leader') && has('sync_standby') && isRunning
    })
  }

  async stop(): Promise<void> {
    process.off('exit', this.#endWithUs)
    this.#killAll()
    const children = [...this.#etcds, ...this.#databases].map(({ child }) => child)
    await Promise.all(children.map(child => (child ? ended(child) : Promise.resolve())))
    this.#remove()
  }

  async #start(): Promise<void> {
    if (this.#user) chownSync(this.#folder, this.#user.uid, this.#user.gid)
    for (const member of this.#etcds) this.#startEtcd(member)
    await until('etcd has a leader', async () => (await this.#etcdLeader()) !== undefined)
    for (const database of this.#databases) {
      mkdirSync(join(database.data, '..'), { mode: 0o700 })
      if (this.#user) chownSync(join(database.data, '..'), this.#user.uid, this.#user.gid)
      writeFileSync(database.configFile, configOf(database, this.#etcds), { mode: 0o644 })
      this.#startPatroni(database)
    }
    await this.untilWhole()
    const { name } = (await this.#members()).find(({ role }) => role === 'leader') as Member
    const { port } = this.#databases.find(each => each.name === name) as Database
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
    await client.connect()
    await client.query('CREATE ROLE restante LOGIN')
    await client.query(`CREATE DATABASE mail OWNER restante ENCODING 'UTF8' TEMPLATE template0`)
    await client.end()
  }

  #startEtcd(member: Etcd): void {
    member.child = this.#spawn(etcd, member.args)
  }

  #startPatroni(database: Database): void {
    database.child = this.#spawn(patroni, [database.configFile])
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    return spawn(program, args, {
      ...this.#user,
      cwd: this.#folder,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: this.#folder },
      stdio: 'ignore',
    })
  }

  /** What the first that answers says; none when nobody does. */
  async #members(): Promise<readonly Member[]> {
    for (const { restPort } of this.#databases) {
      const told = await ask(`http://127.0.0.1:${restPort}/cluster`)
      if (told !== undefined) return (told as { readonly members: readonly Member[] }).members
    }
    return []
  }

  async #etcdLeader(): Promise<Etcd> {
    for (const member of this.#etcds) {
      const status = (await ask(`${member.url}/v3/maintenance/status`, '{}')) as
        | { readonly leader?: string; readonly header: { readonly member_id: string } }
        | undefined
      if (status?.leader !== undefined && status.leader === status.header.member_id) return member
    }
    throw new Error('etcd has no leader')
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 })
  }

  #killAll(): void {
    for (const { child } of [...this.#databases, ...this.#etcds]) signalTree(child?.pid, 'SIGKILL')
    for (const database of this.#databases) signalTree(postmasterOf(database), 'SIGKILL')
  }
}

function etcdsOf(folder: string, ports: readonly number[]): readonly Etcd[] {
  const members = [0, 1, 2].map(at => ({
    name: `etcd${at + 1}`,
    url: `http://127.0.0.1:${ports[at]}`,
    peerUrl: `http://127.0.0.1:${ports[at + 3]}`,
  }))
  const all = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')
  return members.map(({ name, url, peerUrl }) => {
    const options = {
      name,
      'data-dir': join(folder, name),
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': all,
      'initial-cluster-state': 'new',
    }
    return {
      name,
      url,
      args: Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]),
      child: undefined,
    }
  })
}

function databasesOf(folder: string, ports: readonly number[]): readonly Database[] {
  return [0, 1].map(at => ({
    name: `pg${at + 1}`,
    port: ports[at] as number,
    restPort: ports[at + 2] as number,
    data: join(folder, `pg${at + 1}`, 'data'),
    configFile: join(folder, `pg${at + 1}.yml`),
    child: undefined,
  }))
}

/** Patroni's configuration; JSON is YAML. https://patroni.readthedocs.io/en/latest/yaml_configuration.html */
function configOf({ name, port, restPort, data }: Database, etcds: readonly Etcd[]): string {
  const place = (number: number) => `127.0.0.1:${number}`
  const login = (username: string) => ({ username, password: 'drill' })
  return JSON.stringify({
    scope: 'drill',
    name,
    restapi: { listen: place(restPort), connect_address: place(restPort) },
    etcd3: { hosts: etcds.map(({ url }) => new URL(url).host) },
    bootstrap: {
      dcs: {
        ...timing,
        // Not strict: with two servers the loss of the standby would stop all writing. Only a standby that has everything is ever promoted, all the same.
        synchronous_mode: true,
        postgresql: { use_pg_rewind: true, parameters: { max_connections: 200, shared_buffers: '64MB' } },
      },
      initdb: [{ encoding: 'UTF8' }, { locale: 'C' }, 'data-checksums'],
    },
    postgresql: {
      listen: place(port),
      connect_address: place(port),
      data_dir: data,
      bin_dir: bin,
      pgpass: join(data, '..', 'pgpass'),
      authentication: {
        superuser: login('postgres'),
        replication: login('replicator'),
        rewind: login('rewinder'),
      },
      pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust'],
      parameters: { unix_socket_directories: '' },
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
    },
  })
}

/** PostgreSQL refuses to run as root. */
function runsAs(): { readonly uid: number; readonly gid: number } | undefined {
  return process.getuid?.() === 0 ? idsOf('postgres') : undefined
}

/** The first line of postmaster.pid. A number that was given to another process since is not ours to kill. */
function postmasterOf({ data }: Database): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'latin1').split('\n')[0])
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(data) ? pid : undefined
  } catch {
    return undefined // it does not run
  }
}

async function kill(database: Database): Promise<void> {
  signalTree(database.child?.pid, 'SIGKILL')
  signalTree(postmasterOf(database), 'SIGKILL')
  if (database.child) await ended(database.child)
}

function signalTree(root: number | undefined, signal: NodeJS.Signals): void {
  if (root === undefined) return
  for (const pid of processTree([root])) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

async function isHealthy(url: string): Promise<boolean> {
  return ((await ask(`${url}/health`)) as { readonly health?: string } | undefined)?.health === 'true'
}

/** What a service answers, as JSON; undefined where it does not. */
async function ask(url: string, body?: string): Promise<unknown> {
  try {
    const signal = AbortSignal.timeout(5000)
    const answer = await fetch(url, { signal, ...(body !== undefined && { method: 'POST', body }) })
    return await answer.json()
  } catch {
    return undefined
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    if (await isSo().catch(() => false)) return
    if (performance.now() > deadline) throw new Error(`in vain: ${what}`)
    await sleep(200)
  }
}
