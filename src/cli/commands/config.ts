// config check|show
import { stringify } from 'smol-toml'
import type { Config } from '../../server/config.ts'
import { doorNames, formatListenAddress } from '../../server/listen.ts'
import { isSecretField, withoutPassword } from '../../server/redact.ts'
import type { CommandContext } from '../command.ts'

/** Says whether the configuration is right; what is wrong otherwise, all of it. */
export async function checkConfig(context: CommandContext): Promise<void> {
  const config = await context.config()
  context.output.result({ valid: true, dataDir: config.dataDir }, 'the configuration is right')
}

/** Shows what is in force, in the form of the file. */
export async function showConfig(context: CommandContext): Promise<void> {
  const shown = presentable(await context.config())
  context.output.result(shown, stringify(shown).trimEnd())
}

/** Prints the page that describes every key. */
export async function printDocs(context: CommandContext): Promise<void> {
  const { configurationPage } = await import('../../server/config-docs.ts')
  const page = configurationPage()
  context.output.result({ page }, page.trimEnd())
}

function presentable({ isIsolated: _isIsolated, ...config }: Config): Record<string, unknown> {
  const listen = Object.fromEntries(
    doorNames.map(door => [door, (config.listen[door] ?? []).map(address => formatListenAddress(address))]),
  )
  return withoutSecrets({ ...config, listen }) as Record<string, unknown>
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return withoutPassword(value)
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined && inner !== null)
      .map(([key, inner]) => [key, isSecretField(key) ? '(not shown)' : withoutSecrets(inner)]),
  )
}
