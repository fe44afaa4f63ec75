// What the files of one test run share. The first that needs PostgreSQL starts the server; the run's end stops it.
import { createServer, type Server } from 'node:net'
import { type PostgresServer, startPostgres } from './postgres/server.ts'

let door: Server | undefined
let starting: Promise<PostgresServer> | undefined

/** Answers each connection with the server's address. */
export async function globalSetup(): Promise<void> {
  if (process.env['RESTANTE_TEST_POSTGRES']) return
  door = createServer(socket => {
    socket.on('error', () => {})
    starting ??= startPostgres()
    starting.then(
      ({ url }) => socket.end(url),
      (error: unknown) => socket.end(`failed: ${String(error)}`),
    )
  })
  await new Promise<void>(resolve => {
    door?.listen(0, '127.0.0.1', resolve)
  })
  process.env['RESTANTE_TEST_SERVICES'] = String((door.address() as { port: number }).port)
}

export async function globalTeardown(): Promise<void> {
  door?.close()
  const server = await starting?.catch(() => undefined)
  await server?.stop()
}
