// Nodes of Restante over a PostgreSQL of their own, as questions see one server: each connection goes to the next node, as through a balancer.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { startDurablePostgres } from './postgres.ts'
import { restante, type Serving, serve, terminate, version } from './restante.ts'
import { password, type Server, type ServerName, temporaryFolder, user } from './server.ts'

/** More than any question about nodes uses. */
const accounts = 200

export async function startNodes(count: number): Promise<Server> {
  const folder = temporaryFolder('bench-nodes')
  const postgres = await startDurablePostgres()
  const threads = Math.max(1, Math.floor(availableParallelism() / count))
  const nodes = Array.from({ length: count }, (_, at) =>
    makeFolder(folder, at + 1, `threads = ${threads}\n[store]\nurl = "${postgres.url}/postgres"\n`),
  )
  const lines = Array.from({ length: accounts }, (_, number) => `${user(number)}:${password}\n`).join('')
  const [first = ''] = nodes
  await restante(first, ['account', 'add', '--from', '-', '--config', configOf(first)], lines)
  const startAll = () => Promise.all(nodes.map(node => serve(node, { args: ['--config', configOf(node)] })))
  let serving = await startAll()
  const stopAll = () => Promise.all(serving.map(({ child }) => terminate(child)))
  let turn = 0
  return {
    name: `${count} ${count === 1 ? 'node' : 'nodes'}` as ServerName,
    version: version(),
    settings: [
      `${count} of the same program over one database, with ${threads === 1 ? 'one protocol thread' : `${threads} protocol threads`} each, each connection to the next of them; ${postgres.description}; flags are as durable as mail`,
    ],
    get ports() {
      return (serving[turn++ % count] as Serving).ports
    },
    get pids() {
      return [postgres.pid, ...serving.map(({ child }) => child.pid ?? 0)]
    },
    async restart() {
      await stopAll()
      serving = await startAll()
    },
    async stop() {
      await stopAll()
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The folder of one node, with its configuration. */
function makeFolder(site: string, number: number, config: string): string {
  const folder = join(site, `node${number}`)
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(configOf(folder), config, { mode: 0o600 })
  return folder
}

function configOf(folder: string): string {
  return join(folder, 'restante.toml')
}
