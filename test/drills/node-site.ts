// Several nodes of Restante on one PostgreSQL, the one that npm brings unless another is given.
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ended, freePorts, password, type Server, temporaryFolder, user } from '../../bench/server.ts'
import { restante, type RestantePorts, serve, terminate } from '../../bench/restante.ts'
import { startPostgres } from '../postgres/server.ts'

export interface SiteNode {
  readonly name: string
  /** The same through restarts. */
  readonly ports: RestantePorts
  /** Of /readyz. */
  readonly httpPort: number
  /** While it runs. */
  readonly pid: number | undefined
  start(): Promise<void>
  /** Settles when the process has ended after SIGTERM. */
  stop(): Promise<void>
  /** Settles when the process has ended after SIGKILL; `start` begins anew. */
  kill(): Promise<void>
}

export interface SiteOptions {
  /** Goes into the configuration of each node. */
  readonly toml?: string
  /** Of an empty database. */
  readonly url?: string
}

export interface Site {
  readonly nodes: readonly SiteNode[]
  /** A node as drills see a server. */
  serverOf(node: SiteNode): Server
  /** Throws with what it says when `restante check` finds damage. */
  check(): Promise<string>
  stop(): Promise<void>
}

/** Starts `count` nodes with the accounts of `bench/server.ts`. */
export async function startSite(
  count: number,
  accounts: number,
  { toml = '', url }: SiteOptions = {},
): Promise<Site> {
  const folder = temporaryFolder('drill-site')
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  process.once('exit', remove)
  const postgres = url === undefined ? await startPostgres() : undefined
  const database = url ?? `${postgres?.url}/postgres`
  const nodes: SiteNode[] = []
  for (let number = 1; number <= count; number++) {
    nodes.push(await makeNode(join(folder, `node${number}`), `node${number}`, database, toml))
  }
  const first = join(folder, 'node1')
  const lines = Array.from({ length: accounts }, (_, at) => `${user(at)}:${password}\n`).join('')
  await restante(first, ['account', 'add', '--from', '-', '--config', configOf(first)], lines)
  await Promise.all(nodes.map(node => node.start()))
  return {
    nodes,
    serverOf: node => ({
      name: 'Restante',
      version: '',
      settings: [],
      ports: node.ports,
      pids: [],
      restart: () => node.stop().then(() => node.start()),
      stop: () => node.stop(),
    }),
    check: () => restante(first, ['check', '--config', configOf(first)]),
    async stop() {
      await Promise.all(nodes.map(node => node.stop()))
      await postgres?.stop()
      remove()
    },
  }
}

function configOf(folder: string): string {
  return join(folder, 'restante.toml')
}

async function makeNode(folder: string, name: string, url: string, toml: string): Promise<SiteNode> {
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(configOf(folder), `threads = 1\n${toml}\n[store]\nurl = "${url}"\n`, { mode: 0o600 })
  const [
    imap = 0,
    imaps = 0,
    pop3 = 0,
    pop3s = 0,
    lmtp = 0,
    smtp = 0,
    submission = 0,
    submissions = 0,
    httpPort = 0,
  ] = await freePorts(9)
  const ports = { imap, imaps, pop3, pop3s, lmtp, smtp, submission, submissions }
  let child: ChildProcess | undefined
  return {
    name,
    ports,
    httpPort,
    get pid() {
      return child?.pid
    },
    async start() {
      const args = ['--config', configOf(folder), '--listen', `http=127.0.0.1:${httpPort}`]
      child = (await serve(folder, { ports, args })).child
    },
    async stop() {
      if (child) await terminate(child)
      child = undefined
    },
    async kill() {
      child?.kill('SIGKILL')
      if (child) await ended(child)
      child = undefined
    },
  }
}
