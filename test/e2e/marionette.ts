// Mozilla's remote protocol, as far as the tests need it: scripts in the program's own context. https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'

export class Marionette {
  readonly #socket: Socket
  #buffer: Buffer = Buffer.alloc(0)
  #id = 0
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    const end = () => {
      for (const { reject } of this.#pending.values()) reject(new Error('the program has ended'))
    }
    socket.on('close', end)
    socket.on('error', end)
  }

  /** Connects to a program that is starting, and opens a session in its chrome context. */
  static async connect(port: number, patienceMs: number): Promise<Marionette> {
    const until = performance.now() + patienceMs
    for (;;) {
      const socket = connect(port, '127.0.0.1')
      try {
        await once(socket, 'connect')
        const client = new Marionette(socket)
        await client.#send('WebDriver:NewSession', { capabilities: {} })
        await client.#send('Marionette:SetContext', { value: 'chrome' })
        await client.#send('WebDriver:SetTimeouts', { script: patienceMs })
        return client
      } catch (error) {
        socket.destroy()
        if (performance.now() > until) throw error
        await wait(250)
      }
    }
  }

  /** Runs the body of an async function with `args`; gives what it returns. */
  async run(body: string, ...args: readonly unknown[]): Promise<unknown> {
    const script = `const [done, ...args] = [arguments[arguments.length - 1], ...Array.from(arguments).slice(0, -1)];
(async () => { ${body} })().then(value => done({ value }), error => done({ error: String(error) + " " + (error?.stack ?? "") }))`
    const result = (await this.#send('WebDriver:ExecuteAsyncScript', { script, args, newSandbox: true })) as {
      value: { value?: unknown; error?: string }
    }
    if (result.value.error !== undefined) throw new Error(result.value.error)
    return result.value.value
  }

  /** A picture of the window, as PNG. */
  async screenshot(): Promise<Buffer> {
    const result = (await this.#send('WebDriver:TakeScreenshot', { full: true })) as { value: string }
    return Buffer.from(result.value, 'base64')
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(name: string, parameters: object): Promise<unknown> {
    const id = ++this.#id
    const message = JSON.stringify([0, id, name, parameters])
    this.#socket.write(`${Buffer.byteLength(message)}:${message}`)
    const pending = Promise.withResolvers<unknown>()
    this.#pending.set(id, pending)
    return pending.promise
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk])
    for (;;) {
      const colon = this.#buffer.indexOf(':')
      if (colon < 0) return
      const end = colon + 1 + Number(this.#buffer.toString('latin1', 0, colon))
      if (this.#buffer.length < end) return
      const message = JSON.parse(this.#buffer.toString('utf8', colon + 1, end)) as unknown
      this.#buffer = this.#buffer.subarray(end)
      // The greeting is no array.
      if (!Array.isArray(message)) continue
      const [, id, error, result] = message as [number, number, object | null, unknown]
      const pending = this.#pending.get(id)
      this.#pending.delete(id)
      if (error) pending?.reject(new Error(JSON.stringify(error)))
      else pending?.resolve(result)
    }
  }
}
