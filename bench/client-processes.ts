// Clients in processes of their own, so that this one's CPU is not what a benchmark measures.
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { endWithUs } from './server.ts'

/** What a client program says: that it may begin, then what came of it; or why it failed. */
export type FromClient<Result> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'failed'; readonly message: string }

/** What it is told. */
export type ToClient<Task> = { readonly kind: 'task'; readonly task: Task } | { readonly kind: 'go' }

export class ClientProcesses<Result> {
  readonly #children: readonly ChildProcess[]

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children
  }

  /** Starts the program (a file of this folder) once for each task; resolves when all have prepared theirs. */
  static async start<Task, Result>(
    program: string,
    tasks: readonly Task[],
  ): Promise<ClientProcesses<Result>> {
    const children = tasks.map(() => fork(join(import.meta.dirname, program)))
    for (const child of children) endWithUs(child)
    const processes = new ClientProcesses<Result>(children)
    const ready = children.map(child => heard<Result>(child))
    children.forEach((child, at) => child.send({ kind: 'task', task: tasks[at] }))
    try {
      await Promise.all(ready)
    } catch (error) {
      processes.stop()
      throw error
    }
    return processes
  }

  get pids(): number[] {
    return this.#children.flatMap(({ pid }) => pid ?? [])
  }

  /** Lets all begin at once; gives what came of each. */
  run(): Promise<Result[]> {
    const ends = this.#children.map(async child => {
      const said = await heard<Result>(child)
      if (said.kind !== 'result') throw new Error(`a client said ${said.kind}`)
      return said.result
    })
    for (const child of this.#children) child.send({ kind: 'go' })
    return Promise.all(ends)
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL')
  }
}

/** In a client program: does what it is told. `prepare` gives what does the work. */
export function serveTask<Task, Result>(prepare: (task: Task) => Promise<() => Promise<Result>>): void {
  const say = (message: FromClient<Result>) => process.send?.(message)
  const fail = (error: unknown) =>
    say({ kind: 'failed', message: error instanceof Error ? (error.stack ?? '') : String(error) })
  let work: (() => Promise<Result>) | undefined
  process.on('message', (message: ToClient<Task>) => {
    if (message.kind === 'task') {
      prepare(message.task).then(prepared => {
        work = prepared
        say({ kind: 'ready' })
      }, fail)
    } else work?.().then(result => say({ kind: 'result', result }), fail)
  })
  process.on('disconnect', () => process.exit())
}

/** The next that the client says. */
function heard<Result>(child: ChildProcess): Promise<Exclude<FromClient<Result>, { kind: 'failed' }>> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a client process ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', message => {
      child.off('exit', onExit)
      const said = message as FromClient<Result>
      if (said.kind === 'failed') reject(new Error(`a client process: ${said.message}`))
      else resolve(said)
    })
  })
}
