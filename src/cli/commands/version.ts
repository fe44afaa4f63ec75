// version
import { programVersion } from '../../server/program-version.ts'
import type { CommandContext } from '../command.ts'

/** Says which version this is, and what it runs on. */
export async function version(context: CommandContext): Promise<void> {
  const number = programVersion()
  const { node, sqlite } = process.versions as { readonly node: string; readonly sqlite?: string }
  context.output.result(
    { version: number, node, sqlite: sqlite ?? null, platform: `${process.platform}-${process.arch}` },
    `restante ${number} (Node ${node}, SQLite ${sqlite ?? 'unknown'}, ${process.platform}-${process.arch})`,
  )
}
