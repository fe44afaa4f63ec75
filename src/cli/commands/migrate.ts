// migrate: the store from one back-end to another.
import { resolve } from 'node:path'
import { loadConfig, type Config } from '../../server/config.ts'
import { withoutPassword } from '../../server/redact.ts'
import { moveConfiguredStore } from '../../server/store-move.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { formatBytes } from '../output.ts'
import { Steps } from '../progress.ts'

interface MigrateOptions {
  readonly to?: string
  readonly toConfig?: string
}

/** Copies every row and body, compares them, and leaves the source as it was. Run again, it goes on where it was interrupted. */
export async function migrate(context: CommandContext, options: MigrateOptions): Promise<void> {
  const from = await context.config()
  const to = targetOf(context, from, options)
  const steps = new Steps(context.terminal, 'moving')
  const startedAt = performance.now()
  try {
    const report = await moveConfiguredStore(from, to, { onProgress: (...step) => steps.show(...step) })
    steps.end()
    const place = withoutPassword(to.store.url ?? to.dataDir)
    const seconds = (performance.now() - startedAt) / 1000
    const counts = `${report.rows} rows and ${report.bodies} bodies (${formatBytes(report.bodyBytes)})`
    context.output.result(
      { to: place, ...report, seconds: Number(seconds.toFixed(1)) },
      `moved to ${place}: ${counts}, each of them compared, in ${seconds.toFixed(1)} s\nThe old store is as it was. ${whatNext(to)}`,
    )
  } finally {
    steps.end()
  }
}

function targetOf(context: CommandContext, from: Config, { to, toConfig }: MigrateOptions): Config {
  if ((to === undefined) === (toConfig === undefined))
    throw new CliError('say where to: --to or --to-config', { exitCode: 2 })
  const { cwd, env } = context.terminal
  if (toConfig !== undefined) return loadConfig({ file: toConfig, env, cwd })
  if (/^postgres(?:ql)?:\/\//.test(to as string)) return { ...from, store: { ...from.store, url: to } }
  if (/^[a-z][a-z0-9]+:\/\//.test(to as string))
    throw new CliError(`${to} is neither postgres://… nor a folder`, { exitCode: 2 })
  const { url: _url, bodies: _bodies, ...store } = from.store
  return { ...from, store, dataDir: resolve(cwd, to as string) }
}

function whatNext({ store, dataDir }: Config): string {
  return store.url === undefined
    ? `Take store.url out of the configuration, set dataDir to ${dataDir}, and start the server.`
    : 'Set store.url in the configuration, and start the servers.'
}
