// What a server might say wrongly, done to its lines before the client hears them: the model has to notice each.

/** By name: changes a response now and then. */
export const faults: Readonly<Record<string, () => (line: string) => string>> = {
  /** A message number that does not exist. */
  number: every(200, /^\* (\d+) FETCH/, line =>
    line.replace(/^\* (\d+)/, (_, number) => `* ${Number(number) + 100}`),
  ),
  /** An EXPUNGE of another message. */
  expunge: every(2, /^\* [2-9] EXPUNGE/, line =>
    line.replace(/^\* (\d+)/, (_, number) => `* ${Number(number) - 1}`),
  ),
  /** A modSeq that goes back. */
  modseq: every(100, /MODSEQ \(\d+\)/, line => line.replace(/MODSEQ \(\d+\)/, 'MODSEQ (1)')),
  /** A flag that is not there. */
  flags: every(100, /FETCH \(FLAGS \(/, line => line.replace('FLAGS (', 'FLAGS (lie ')),
  /** A UID that names another message. */
  uid: every(100, /^\* \d+ FETCH \(UID \d+/, line =>
    line.replace(/UID (\d+)/, (_, uid) => `UID ${Number(uid) + 1000}`),
  ),
}

function every(
  count: number,
  pattern: RegExp,
  change: (line: string) => string,
): () => (line: string) => string {
  return () => {
    let met = 0
    return line => (pattern.test(line) && ++met % count === 0 ? change(line) : line)
  }
}
