// version
import { readFileSync } from 'node:fs'
import type { CommandContext } from '../command.ts'

/** Says which version this is, and what it runs on. */
export async function version(context: CommandContext): Promise<void> {
  const number = packageVersion()
  const { node, sqlite } = process.versions as { readonly node: string; readonly sqlite?: string }
  context.output.result(
    { version: number, node, sqlite: sqlite ?? null, platform: `${process.platform}-${process.arch}` },
    `restante ${number} (Node ${node}, SQLite ${sqlite ?? 'unknown'}, ${process.platform}-${process.arch})`,
  )
}

/** Of package.json, two folders up from `src/cli` and from `dist/cli` alike. */
export function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
