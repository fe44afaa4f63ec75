// What a benchmark file exports, and what it is handed when it runs.
import type { ClientProcesses } from './client-processes.ts'
import type { Server } from './server.ts'

export type Unit = 'per second' | 'MB/s' | 'ms' | 'KB' | 'times' | 'connections'

/** One figure that a question gives for each server. */
export interface Row {
  readonly title: string
  readonly unit: Unit
  /** How many times better than Dovecot Restante is to be (issue 4). */
  readonly target?: number
  /** What Restante's own figure may be at most, whatever Dovecot's is. */
  readonly most?: number
  /** Measured in the first warm-up only, since a second time is another question. */
  readonly single?: boolean
}

/** One file, one question: rows of figures that come from the same runs. */
export interface Question {
  readonly name: string
  readonly title: string
  /** What each server is bound by here. */
  readonly boundBy: string
  /** Why rows fall short of their goals, by the profile, and what would be needed. */
  readonly shortfall?: string
  readonly rows: Readonly<Record<string, Row>>
  /** Measured repetitions; 5 where it isn't said. */
  readonly repetitions?: number
  /**
   * Repetitions before those, 1 where it isn't said. Who asks from one connection meets one of several threads or processes, by chance; and a server whose code
   * is compiled as it runs is warm once more warm-ups change nothing, which the cold rows tell apart.
   */
  readonly warmUps?: number
  /** Fills what the runs need; once for each server, untimed. */
  prepare?(bench: Bench): Promise<void>
  /** One repetition on one server. */
  run(bench: Bench): Promise<void>
  /** Undoes what `prepare` did to the server itself; once for each server, however the runs ended. */
  end?(bench: Bench): Promise<void>
}

/** One repetition's surroundings. */
export interface Bench {
  readonly server: Server
  /** From 0; the last warm-up is -1. */
  readonly repetition: number
  /** The first warm-up, which has the rows that are `single`. */
  readonly isFirst: boolean
  /** What takes minutes to fill is left out. */
  readonly isSmall: boolean
  /** A number of messages or operations, made smaller by --scale. */
  count(full: number): number
  /**
   * Times `work`, which does `operations` (a function where that is known only afterwards), and keeps the figure under
   * this row. `clients` work beside this process.
   */
  time(
    row: string,
    operations: number | (() => number),
    work: () => Promise<unknown>,
    clients?: ClientProcesses<unknown>,
  ): Promise<void>
  /** Keeps the figure that `work` gives, with what the server's event loops did meanwhile. */
  measure(row: string, work: () => Promise<number>): Promise<number>
  /** Keeps a figure that the question worked out itself. */
  note(row: string, value: number): void
}
