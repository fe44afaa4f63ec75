// What ends a command: its message says what to do, its code is the exit status.

/** 1: it failed. 2: it was asked for in a wrong way. */
export class CliError extends Error {
  readonly exitCode: 1 | 2

  constructor(message: string, options: ErrorOptions & { readonly exitCode?: 1 | 2 } = {}) {
    super(message, options)
    this.name = 'CliError'
    this.exitCode = options.exitCode ?? 1
  }
}
