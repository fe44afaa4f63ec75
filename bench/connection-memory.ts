// What does an idle connection cost the server? Opens N, each waiting in `waitForInput` after a greeting and a command, and prints bytes of RSS and heap for each.
// `node --expose-gc bench/connection-memory.ts [count] [plain|tls]`; the clients are a process of their own.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createSecureContext, connect as connectTls } from 'node:tls'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '../src/base/log.ts'
import { Deadlines } from '../src/net/deadlines.ts'
import { Listener } from '../src/net/listener.ts'
import { ensureSelfSigned } from '../src/net/self-signed.ts'

const count = Number(process.argv[2] ?? 5000)
const isTls = process.argv[3] === 'tls'

if (process.send) await dialAll(Number(process.argv[4]))
else await measure()

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'restante-bench-'))
  const { certFile } = await ensureSelfSigned({ folder, names: ['localhost'], now: () => Date.now() })
  const pem = await readFile(certFile)
  await rm(folder, { recursive: true })
  const secureContext = createSecureContext({ cert: pem, key: pem })
  let idle = 0
  const all = Promise.withResolvers<void>()
  const listener = await Listener.start({
    address: { host: '127.0.0.1', port: 0 },
    deadlines: new Deadlines(),
    log: silentLog,
    ...(isTls && { implicitTls: { serverOptions: () => ({ secureContext }) } }),
    handle: async connection => {
      connection.setDeadline(30 * 60_000)
      connection.write('* OK hello\r\n')
      await connection.readLine(1000)
      connection.write('A1 OK\r\n')
      if (++idle === count) all.resolve()
      await connection.waitForInput()
    },
  })
  await settle()
  const before = process.memoryUsage()
  const clients = fork(import.meta.filename, [String(count), isTls ? 'tls' : 'plain', String(listener.port)])
  await all.promise
  await settle()
  const after = process.memoryUsage()
  const each = (bytes: number) => `${Math.round(bytes / count)} bytes`
  process.stdout.write(
    `${count} idle ${isTls ? 'TLS' : 'plain'} connections: RSS ${each(after.rss - before.rss)}, heap ${each(after.heapUsed - before.heapUsed)} each\n`,
  )
  clients.kill()
  await listener.stop(0)
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

async function dialAll(port: number): Promise<void> {
  const sockets: Socket[] = []
  for (let i = 0; i < count; i++) {
    const socket = isTls
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      : connect(port, '127.0.0.1')
    await once(socket, 'data')
    socket.write('A1 NOOP\r\n')
    sockets.push(socket)
  }
}
