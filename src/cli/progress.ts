// How far a long command is: a bar that is drawn over itself on a terminal, a line now and then elsewhere.
import type { Terminal } from './terminal.ts'

const redrawMs = 100
const lineMs = 5000
const barCharacters = 30

export class Progress {
  readonly #terminal: Terminal
  readonly #label: string
  readonly #totalBytes: number
  readonly #startedAt = performance.now()
  #bytes = 0
  #messages = 0
  #shownAt = -Infinity
  #isDrawn = false

  /** `totalBytes` is what will be read in all. */
  constructor(terminal: Terminal, label: string, totalBytes: number) {
    this.#terminal = terminal
    this.#label = label
    this.#totalBytes = totalBytes
    // Elsewhere, short work needs no line at all.
    if (!terminal.isTty) this.#shownAt = this.#startedAt
  }

  addBytes(bytes: number): void {
    this.#bytes += bytes
    this.#show(false)
  }

  setMessages(messages: number): void {
    this.#messages = messages
    this.#show(false)
  }

  /** Removes the bar. */
  end(): void {
    if (this.#isDrawn) this.#terminal.err('\r\x1b[K')
    this.#isDrawn = false
  }

  /** Writes a line above the bar. */
  note(text: string): void {
    this.end()
    this.#terminal.err(`${text}\n`)
  }

  #show(isForced: boolean): void {
    const now = performance.now()
    if (!isForced && now - this.#shownAt < (this.#terminal.isTty ? redrawMs : lineMs)) return
    this.#shownAt = now
    const share = this.#totalBytes === 0 ? 1 : Math.min(1, this.#bytes / this.#totalBytes)
    const seconds = (now - this.#startedAt) / 1000
    const rate = seconds > 0 ? Math.round(this.#messages / seconds) : 0
    const facts = `${Math.floor(share * 100)} %, ${this.#messages} messages, ${rate}/s`
    if (!this.#terminal.isTty) {
      this.#terminal.err(`${this.#label}: ${facts}\n`)
      return
    }
    const line = `${this.#label} ${barOf(share)} ${facts}`
    this.#terminal.err(`\r\x1b[K${line.slice(0, this.#terminal.columns - 1)}`)
    this.#isDrawn = true
  }
}

/** Work in named steps whose length is told as it goes. */
export class Steps {
  readonly #terminal: Terminal
  readonly #label: string
  #shownAt = -Infinity
  #isDrawn = false

  constructor(terminal: Terminal, label: string) {
    this.#terminal = terminal
    this.#label = label
    if (!terminal.isTty) this.#shownAt = performance.now()
  }

  show(step: string, done: number, total: number): void {
    const now = performance.now()
    if (now - this.#shownAt < (this.#terminal.isTty ? redrawMs : lineMs)) return
    this.#shownAt = now
    const facts = `${step}, ${done} of ${total}`
    if (!this.#terminal.isTty) {
      this.#terminal.err(`${this.#label}: ${facts}\n`)
      return
    }
    const line = `${this.#label} ${barOf(total === 0 ? 1 : done / total)} ${facts}`
    this.#terminal.err(`\r\x1b[K${line.slice(0, this.#terminal.columns - 1)}`)
    this.#isDrawn = true
  }

  /** Removes the line. */
  end(): void {
    if (this.#isDrawn) this.#terminal.err('\r\x1b[K')
    this.#isDrawn = false
  }
}

/** `[######....]` for a share from 0 to 1. */
function barOf(share: number): string {
  const full = Math.round(Math.min(1, share) * barCharacters)
  return `[${'#'.repeat(full)}${'.'.repeat(barCharacters - full)}]`
}
