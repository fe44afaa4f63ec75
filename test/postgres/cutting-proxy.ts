// A TCP proxy before PostgreSQL that cuts connections, or swallows what they say, where the test says.
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of a chunk: it goes on, it is lost and nobody hears of it, the connection is cut instead, or it goes on and the connection is cut at once. */
export type Fate = 'pass' | 'lose' | 'cut-before' | 'cut-after'

export type Decide = (from: 'client' | 'server', chunk: Buffer) => Fate

export class CuttingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  decide: Decide = () => 'pass'
  cuts = 0
  connections = 0

  private constructor(server: Server) {
    this.#server = server
  }

  /** Stands before the database of `url`. */
  static async start(url: string): Promise<{ readonly proxy: CuttingProxy; readonly url: string }> {
    const target = new URL(url)
    const { hostname, port: targetPort } = target
    const server = createServer()
    const proxy = new CuttingProxy(server)
    server.on('connection', client => proxy.#accept(client, hostname, Number(targetPort)))
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as { port: number }
    target.port = String(port)
    return { proxy, url: target.href }
  }

  /** Cuts all connections. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** No new connections until `open`. */
  async shut(): Promise<{ open(): Promise<void> }> {
    const { port } = this.#server.address() as { port: number }
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.cutAll()
    await closed
    return {
      open: () =>
        new Promise<void>(resolve => {
          this.#server.listen(port, '127.0.0.1', resolve)
        }),
    }
  }

  async stop(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.cutAll()
    await closed
  }

  #accept(client: Socket, host: string, port: number): void {
    this.connections++
    const server = connect(port, host)
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    const end = () => {
      client.destroy()
      server.destroy()
    }
    const pass = (from: 'client' | 'server', to: Socket) => (chunk: Buffer) => {
      const fate = this.decide(from, chunk)
      if (fate === 'pass') {
        to.write(chunk)
        return
      }
      if (fate === 'lose') return
      this.cuts++
      if (fate === 'cut-before') end()
      // What goes on arrives whole before the end of the connection does.
      else {
        to.end(chunk)
        ;(to === client ? server : client).destroy()
      }
    }
    client.on('data', pass('client', server))
    server.on('data', pass('server', client))
    for (const socket of [client, server]) {
      socket.on('close', () => {
        this.#sockets.delete(socket)
        // The other side may still have to take what goes on.
        ;(socket === client ? server : client).end()
      })
    }
  }
}
