// Both ends of one connection on loopback: ours as a `Connection`, the peer's as a plain socket that records what it gets.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { silentLog } from '../../src/base/log.ts'
import type { Connection } from '../../src/net/connection.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { Listener, type ListenerOptions } from '../../src/net/listener.ts'

/** A clock that stands until a test moves it, and the deadlines that follow it. */
export class TestClock {
  nowMs = 1000
  readonly deadlines = new Deadlines({ now: () => this.nowMs, grainMs: 10 })

  /** Lets `ms` pass and calls what is then due. */
  advance(ms: number): void {
    this.nowMs += ms
    this.deadlines.check()
  }
}

export interface Pair {
  readonly connection: Connection
  readonly peer: Socket
  readonly listener: Listener
  readonly clock: TestClock
  /** All that the peer has received, when `isEnough` says so or the peer's side has ended. */
  readonly received: (isEnough?: (text: string) => boolean) => Promise<string>
  /** Resolves when our side has had this many bytes. Without a sleep: what we read back is echoed by nobody, so it is polled per turn. */
  readonly send: (data: Buffer | string) => Promise<void>
}

export async function listen(t: TestContext, options: Partial<ListenerOptions>): Promise<Listener> {
  const listener = await Listener.start({
    address: { host: '127.0.0.1', port: 0 },
    deadlines: new Deadlines(),
    log: silentLog,
    handle: connection => connection.closed,
    ...options,
  })
  t.after(() => listener.stop(0))
  return listener
}

export async function pair(t: TestContext, options: Partial<ListenerOptions> = {}): Promise<Pair> {
  const clock = new TestClock()
  const accepted = Promise.withResolvers<Connection>()
  const listener = await listen(t, {
    deadlines: clock.deadlines,
    handle: connection => {
      accepted.resolve(connection)
      return connection.closed
    },
    ...options,
  })
  const peer = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true })
  t.after(() => peer.destroy())
  await once(peer, 'connect')
  const { received } = record(peer)
  const connection = await accepted.promise
  const send = (data: Buffer | string) =>
    new Promise<void>(resolve => {
      peer.write(data, () => resolve())
    })
  return { connection, peer, listener, clock, received, send }
}

/** Collects what a socket receives. */
export function record(socket: Socket): { received: Pair['received'] } {
  let text = ''
  let isEnded = false
  let changed = Promise.withResolvers<void>()
  const change = () => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    change()
  })
  const end = () => {
    isEnded = true
    change()
  }
  socket.on('end', end)
  socket.on('close', end)
  socket.on('error', end)
  return {
    received: async (isEnough = () => false) => {
      while (!isEnded && !isEnough(text)) await changed.promise
      return text
    },
  }
}
