// Keeps the event loop of a thread from being held by many connections that have something for it at once.
//
// The loop hands over the input of all sockets that have some before it looks after its timers and at new input, and each piece may be a command. Once they
// have used `limits.net.loopTurnMs` of one turn of the loop, the others stand in line and go on in the turns that follow, in the order in which they came.
import { limits } from '../base/limits.ts'

/** So many of the line are looked at in one turn of the loop, if there is time. */
const mostInTurn = 16

export interface LoopClock {
  now(): number
  /** Another number in each turn of the event loop. */
  turn(): number
}

const loopClock: LoopClock = {
  now: () => performance.now(),
  turn: () => performance.nodeTiming.uvMetricsInfo.loopCount,
}

export class TurnQueue {
  readonly #clock: LoopClock
  readonly #waiting: (() => void)[] = []
  /** Immediates that will each let one of the line go on, if there is time. */
  #calls = 0
  #callsTurn: number | undefined
  #turn: number | undefined
  #startedAt = 0

  constructor(clock = loopClock) {
    this.#clock = clock
  }

  /** Whether there is time in this turn for what has come, and nobody in line; else `wait`. */
  hasRoom(): boolean {
    if (this.#waiting.length > 0) return false
    const turn = this.#clock.turn()
    if (turn === this.#turn) return this.#isInTime()
    this.#turn = turn
    this.#startedAt = this.#clock.now()
    return true
  }

  /** Stands in line: `goOn` is called in a later turn of the loop. */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn)
    this.#schedule()
  }

  /** Stands in line; settles in a later turn of the loop. */
  next(): Promise<void> {
    return new Promise(resolve => {
      this.wait(resolve)
    })
  }

  #isInTime(): boolean {
    return this.#clock.now() - this.#startedAt < limits.net.loopTurnMs
  }

  #schedule(): void {
    if (this.#calls >= Math.min(this.#waiting.length, mostInTurn)) return
    this.#calls++
    setImmediate(this.#call)
  }

  /** An immediate each, since what one sets going runs when its immediate has ended. */
  readonly #call = (): void => {
    this.#calls--
    const turn = this.#clock.turn()
    if (turn !== this.#callsTurn) {
      this.#callsTurn = turn
      this.#startedAt = this.#clock.now()
    }
    const goOn = this.#isInTime() ? this.#waiting.shift() : undefined
    this.#schedule()
    goOn?.()
  }
}

/** Of this thread, whose modules are its own. */
export const turnQueue = new TurnQueue()
