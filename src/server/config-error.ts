// What is wrong with a configuration: each problem with its file, its key and what was expected.

export interface ConfigProblem {
  /** `imap.idleMs`; empty for the file as a whole. */
  readonly key: string
  readonly message: string
}

export class ConfigError extends Error {
  readonly file: string
  readonly problems: readonly ConfigProblem[]

  constructor(file: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(
      problems.map(({ key, message }) => `${file}: ${key === '' ? '' : `${key}: `}${message}`).join('\n'),
      options,
    )
    this.name = 'ConfigError'
    this.file = file
    this.problems = problems
  }
}
