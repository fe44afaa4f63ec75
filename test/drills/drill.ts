// What the drills share: arguments, a seed, progress, figures, violations and the exit code.
import { parseArgs } from 'node:util'
import { Random } from '../../bench/random.ts'
import { exitOnSignals, type Server } from '../../bench/server.ts'

export interface Defaults {
  /** What --count counts. */
  readonly count: number
  /** The faults that --fault knows: each makes the drill do something that its checker has to find. */
  readonly faults: readonly string[]
}

/** One run of a drill. */
export class Drill {
  readonly name: string
  readonly seed: number
  readonly count: number
  /** Which server is drilled; Dovecot only to prove the drill itself. */
  readonly serverName: Server['name']
  /** A deliberate fault, or undefined. */
  readonly fault: string | undefined
  readonly random: Random
  readonly #startedAt = performance.now()
  #violations = 0
  readonly #figures: [string, string | number][] = []

  constructor(name: string, defaults: Defaults) {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        count: { type: 'string' },
        server: { type: 'string', default: 'restante' },
        fault: { type: 'string' },
      },
    })
    if (values.fault !== undefined && !defaults.faults.includes(values.fault)) {
      throw new Error(`--fault is one of ${defaults.faults.join(', ')}`)
    }
    exitOnSignals()
    this.name = name
    this.seed = values.seed === undefined ? Math.floor(Date.now() % 1_000_000_000) : Number(values.seed)
    this.count = Number(values.count ?? defaults.count)
    this.serverName = values.server === 'dovecot' ? 'Dovecot' : 'Restante'
    this.fault = values.fault
    this.random = new Random(this.seed)
    this.say(
      `seed ${this.seed}, count ${this.count}${this.fault === undefined ? '' : `, fault ${this.fault}`}`,
    )
  }

  /** A line of progress. */
  say(text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1)
    console.log(`${seconds.padStart(7)} s  ${this.name}: ${text}`)
  }

  /** Something that must not be. The first fifty are printed. */
  violation(text: string): void {
    if (++this.#violations <= 50) this.say(`VIOLATION ${text}`)
  }

  get violations(): number {
    return this.#violations
  }

  /** A figure for the summary. */
  figure(name: string, value: string | number): void {
    this.#figures.push([name, value])
  }

  /** Prints the summary and sets the exit code: 1 where anything was violated. */
  finish(): void {
    console.log(`\n${this.name}, seed ${this.seed}`)
    for (const [name, value] of this.#figures) console.log(`  ${name}: ${value}`)
    console.log(this.#violations === 0 ? '  no violation' : `  ${this.#violations} VIOLATIONS`)
    process.exitCode = this.#violations === 0 ? 0 : 1
  }
}
