// What all commands share: their options, and how one runs.
import type { Command } from 'commander'
import type { Config } from '../server/config.ts'
import { createOutput, type Output } from './output.ts'
import type { Terminal } from './terminal.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly config?: string
  readonly data?: string
  readonly json?: boolean
}

/** What a command runs with. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly output: Output
  readonly options: CommonOptions
  /** Reads the configuration. Throws ConfigError. */
  config(): Promise<Config>
}

export type Run<Args extends readonly unknown[]> = (context: CommandContext, ...args: Args) => Promise<void>

/** Adds --config, --data and --json. */
export function withCommonOptions(command: Command): Command {
  return command
    .option(
      '-c, --config <file>',
      'the configuration (default: $RESTANTE_CONFIG, else /etc/restante/restante.toml if there is one)',
    )
    .option('-d, --data <folder>', 'the folder of the store (default: see docs/configuration.md, dataDir)')
    .option('--json', 'answer in JSON')
}

/** Makes the context of a command that was called with `options`. */
export function createContext(terminal: Terminal, options: CommonOptions): CommandContext {
  return {
    terminal,
    options,
    output: createOutput(terminal, options.json === true),
    async config() {
      // Loaded here: `--help` is to answer at once.
      const { loadConfig } = await import('../server/config.ts')
      return loadConfig({ file: options.config, dataDir: options.data, env: terminal.env, cwd: terminal.cwd })
    },
  }
}
