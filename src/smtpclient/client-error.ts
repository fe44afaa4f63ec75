// The way to a server failed, before or between recipients' own answers.
import type { Verdict } from './outgoing.ts'

export class SmtpClientError extends Error {
  /** Holds for every recipient that has no answer of its own. */
  readonly verdict: Verdict

  constructor(verdict: Verdict, options?: ErrorOptions) {
    super(`${verdict.host}: ${verdict.code} ${verdict.text}`, options)
    this.name = 'SmtpClientError'
    this.verdict = verdict
  }
}
