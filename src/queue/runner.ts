// Works off the queue: leases what is due, tries it, waits for the next. RFC 5321 §4.5.4.1.
//
// Invariants:
// - All that must survive is in the store; a runner that is killed leaves leases, which its successor gives back at start.
// - At most `concurrency` messages are on their way, at most `perDomain` to one domain (over all runners, for leases are counted).
import { randomUUID } from 'node:crypto'
import { setTimeout as sleepFor } from 'node:timers/promises'
import { limits } from '../base/limits.ts'
import { SmtpClientError } from '../smtpclient/client-error.ts'
import { Sender } from '../smtpclient/sender.ts'
import { serverAccount } from '../store/mutations/enqueue-messages.ts'
import type { QueueJob } from '../store/mutations/lease-queue.ts'
import { countQueue, findNextDue } from '../store/read/queue.ts'
import { attempt } from './attempt.ts'
import type { QueueContext } from './context.ts'

export class QueueRunner {
  readonly #context: QueueContext
  readonly #sender: Sender
  /** Names this runner's leases; begins with the name of the node, so that its next life finds them, and others' stay theirs. */
  readonly #node: string
  readonly #name: string
  readonly #jobs = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #woken = Promise.withResolvers<void>()
  #isAwake = false
  #running: Promise<void> | undefined
  #leases = 0
  #renewedAt = 0
  #prunedAt = -Infinity
  #measuredAt = -Infinity

  constructor(context: QueueContext) {
    const {
      resolver,
      deadlines,
      hostname,
      log,
      random = Math.random,
      tlsPolicy,
      overrideHop,
      config,
    } = context
    const { outbound, smarthost } = config.queue
    this.#context = context
    this.#node = context.node ?? hostname
    this.#name = `${this.#node}/${randomUUID()}`
    this.#sender = new Sender({
      resolver,
      deadlines,
      hostname,
      log,
      random,
      tlsPolicy,
      overrideHop,
      ...(outbound === 'smarthost' && { smarthost }),
    })
  }

  /** Begins, with all that an earlier life of this node's runner left half done. Goes on until `stop`. */
  start(): Promise<void> {
    this.#running ??= this.#run()
    return Promise.resolve()
  }

  /** Leases no more, waits for what is on its way, at most `drainMs`; what is not done then is tried again after the next start. */
  async stop(drainMs: number): Promise<void> {
    this.#stop.abort()
    this.#wake()
    const drained = AbortSignal.timeout(drainMs)
    const late = new Promise<void>(resolve => {
      drained.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([Promise.all([...this.#jobs, this.#running]), late])
    await Promise.race([this.#sender.close(), late])
  }

  /** Tries all that is due now, and what becomes due by that, and settles when nothing is left to do at this time. */
  async runDue(): Promise<void> {
    for (;;) {
      const started = await this.#startJobs()
      if (this.#jobs.size === 0 && started === 0) return
      await Promise.all(this.#jobs)
    }
  }

  async #run(): Promise<void> {
    const { store, log } = this.#context
    const unwatch = store.watch(serverAccount, () => this.#wake())
    let hasTakenBack = false
    try {
      while (!this.#stop.signal.aborted) {
        this.#isAwake = false
        try {
          if (!hasTakenBack) await this.#takeBack()
          hasTakenBack = true
          await this.#renew()
          await this.#prune()
          await this.#startJobs()
          await this.#measure()
        } catch (error) {
          log.error({ err: asError(error) }, 'the queue could not be worked on')
        }
        await this.#wait()
      }
    } finally {
      unwatch()
    }
  }

  /** Leases and begins as much as there is room for; how many. */
  async #startJobs(): Promise<number> {
    const { store, config } = this.#context
    const { concurrency, perDomain, outbound } = config.queue
    const room = concurrency - this.#jobs.size
    if (room <= 0 || this.#stop.signal.aborted) return 0
    this.#leases++
    const lease = `${this.#name}/${this.#leases}`
    const jobs = await store.mutate('leaseQueue', {
      lease,
      leaseMs: limits.queue.leaseMs,
      limit: room,
      perDomain,
      isLocalOnly: outbound === 'none',
    })
    for (const job of jobs) {
      const done = this.#work(lease, job).finally(() => {
        this.#jobs.delete(done)
        this.#wake()
      })
      this.#jobs.add(done)
    }
    return jobs.length
  }

  async #work(lease: string, job: QueueJob): Promise<void> {
    try {
      await attempt(this.#context, this.#sender, lease, job)
    } catch (error) {
      // The lease runs out, and it is tried again then.
      this.#context.log.error(
        {
          err: asError(error),
          message: job.message,
          domain: job.domain,
          isClient: error instanceof SmtpClientError,
        },
        'delivery attempt failed',
      )
    }
  }

  /** Gives back what this node held before it went down. */
  async #takeBack(): Promise<void> {
    await this.#context.store.mutate('renewLeases', { lease: `${this.#node}/%`, leaseMs: 0 })
  }

  /** Keeps the leases of slow attempts. */
  async #renew(): Promise<void> {
    const { store, clock } = this.#context
    const now = clock.now()
    if (this.#jobs.size === 0 || now - this.#renewedAt < limits.queue.leaseMs / 3) return
    this.#renewedAt = now
    await store.mutate('renewLeases', { lease: `${this.#name}/%`, leaseMs: limits.queue.leaseMs })
  }

  async #prune(): Promise<void> {
    const { store, clock, config } = this.#context
    const now = clock.now()
    if (now - this.#prunedAt < limits.queue.pruneMs) return
    this.#prunedAt = now
    const finishedBefore = now - config.queue.historyDays * 86_400_000
    while ((await store.mutate('pruneQueue', { finishedBefore, limit: 500 })) === 500);
  }

  async #measure(): Promise<void> {
    const now = this.#context.clock.now()
    if (now - this.#measuredAt < limits.queue.measureMs) return
    this.#measuredAt = now
    const { waiting, held } = await countQueue(this.#context.store.reader)
    this.#context.metrics.gauge('queue_recipients', waiting, { state: 'waiting' })
    this.#context.metrics.gauge('queue_recipients', held, { state: 'held' })
  }

  #wake(): void {
    this.#isAwake = true
    this.#woken.resolve()
  }

  /** Until something changes, the next is due, or a lease must be renewed. */
  async #wait(): Promise<void> {
    if (this.#isAwake || this.#stop.signal.aborted) return
    this.#woken = Promise.withResolvers()
    const { clock, store, config, sleep = timer } = this.#context
    const due = await findNextDue(store.reader, config.queue.outbound === 'none').catch(() => Infinity)
    // What is due and was not leased waits for others of its domain: the end of one of them wakes this.
    const untilMs = Math.max((due ?? Infinity) - clock.now(), limits.queue.busyMs)
    const waitMs = Math.min(untilMs, limits.queue.pollMs)
    const ended = new AbortController()
    const slept = sleep(waitMs, ended.signal)
    if (this.#isAwake) this.#woken.resolve()
    await Promise.race([this.#woken.promise, slept])
    ended.abort()
  }
}

async function timer(ms: number, signal: AbortSignal): Promise<void> {
  await sleepFor(ms, undefined, { signal, ref: false }).catch(() => undefined)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
