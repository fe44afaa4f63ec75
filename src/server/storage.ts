// The server's store over its threads: one writer, and in each thread a store that reads by itself and asks the writer.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Metrics } from '../base/metrics.ts'
import { dataFolder } from '../store/bodies/data-folder.ts'
import { StoreError, type StoreErrorCode } from '../store/error.ts'
import type { MutationName } from '../store/mutations.ts'
import { openWriter } from '../store/sqlite/open-writer.ts'
import type { SqliteStore } from '../store/sqlite/sqlite-store.ts'
import type { ChangeHint, Store } from '../store/store.ts'
import type { Config } from './config.ts'
import { openStoreBeside } from './store-beside.ts'

/** What a thread is given to reach the writer. */
export interface StorageLink {
  readonly port: MessagePort
}

export interface StorageOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** The supervisor's end. */
export interface Storage {
  readonly store: Store
  /** A thread's way to the writer, to be sent to it. */
  link(): { readonly link: StorageLink; readonly transfer: readonly MessagePort[] }
  /** 'ok', or why nothing can be written now. */
  checkWritable(): Promise<string>
  /** Commits what waits, and closes. */
  close(): Promise<void>
}

type Request = { readonly id: number; readonly name: MutationName; readonly args: unknown }
type Reply =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly code: StoreErrorCode; readonly message: string }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'hints'; readonly hints: readonly ChangeHint[] }

/** Opens the store for this process. Throws `StoreError`. */
export function openStorage({ config, clock, log, metrics }: StorageOptions): Storage {
  const ports = new Set<MessagePort>()
  const onCommit = (hints: readonly ChangeHint[]) => {
    store.tell(hints)
    for (const port of ports) port.postMessage({ kind: 'hints', hints } satisfies Reply)
  }
  const defaultQuota = {
    bytes: config.quota.bytes ?? undefined,
    messages: config.quota.messages ?? undefined,
  }
  const opened = openWriter(dataFolder(config.dataDir), { clock, log, metrics, defaultQuota }, onCommit)
  const mutate = (name: MutationName, args: unknown) => opened.writer.mutate(name, args)
  const store: SqliteStore = openStoreBeside({ dataDir: config.dataDir, mutate, log })
  return {
    store,
    link() {
      const { port1, port2 } = new MessageChannel()
      ports.add(port1)
      port1.on('message', (request: Request) => void answer(port1, request, mutate))
      port1.on('close', () => ports.delete(port1))
      return { link: { port: port2 }, transfer: [port2] }
    },
    async checkWritable() {
      // Removing a credential that nobody has changes nothing, and goes the whole way to a commit.
      try {
        await opened.writer.mutate('deleteCredential', { account: 0, kind: 'app-password', name: '' })
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        if (error.code !== 'not-found' && error.code !== 'no-such-account') return error.message
      }
      return 'ok'
    },
    async close() {
      for (const port of ports) port.close()
      await opened.writer.close()
      await store.close()
      opened.close()
    },
  }
}

async function answer(
  port: MessagePort,
  { id, name, args }: Request,
  mutate: (name: MutationName, args: unknown) => Promise<unknown>,
): Promise<void> {
  try {
    port.postMessage({ kind: 'result', id, result: await mutate(name, args) } satisfies Reply)
  } catch (error) {
    const { message } = error as Error
    if (error instanceof StoreError)
      port.postMessage({ kind: 'refused', id, code: error.code, message } satisfies Reply)
    else port.postMessage({ kind: 'failed', id, message } satisfies Reply)
  }
}

/** A thread's end. */
export function connectStorage({ port }: StorageLink, { config, log }: StorageOptions): Store {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let nextId = 1
  const store = openStoreBeside({
    dataDir: config.dataDir,
    log,
    mutate(name, args) {
      const asked = Promise.withResolvers<unknown>()
      waiting.set(nextId, asked)
      port.postMessage({ id: nextId++, name, args } satisfies Request)
      return asked.promise
    },
    close() {
      port.close()
      return Promise.resolve()
    },
  })
  const settle = (id: number, act: (asked: PromiseWithResolvers<unknown>) => void) => {
    const asked = waiting.get(id)
    waiting.delete(id)
    if (asked) act(asked)
  }
  port.on('message', (reply: Reply) => {
    switch (reply.kind) {
      case 'result':
        settle(reply.id, asked => asked.resolve(reply.result))
        return
      case 'refused':
        settle(reply.id, asked => asked.reject(new StoreError(reply.code, reply.message)))
        return
      case 'failed':
        settle(reply.id, asked => asked.reject(new Error(reply.message)))
        return
      case 'hints':
        store.tell(reply.hints)
        return
    }
  })
  port.on('close', () => {
    for (const { reject } of waiting.values()) reject(new StoreError('unavailable', 'the store is closed'))
    waiting.clear()
  })
  return store
}
