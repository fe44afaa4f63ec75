// backup, restore
import { resolve } from 'node:path'
import { backUpStore, restoreStore } from '../../store/backup.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { formatBytes } from '../output.ts'
import { Steps } from '../progress.ts'

const onPostgres =
  'the store is on PostgreSQL: back it up with its own tools, such as pg_dump or pgBackRest (docs/scale.md)'

/** Copies the store, also beside a running server; into the folder of an earlier backup only what is new. */
export async function backup(context: CommandContext, folder: string): Promise<void> {
  const { dataDir, store } = await context.config()
  if (store.url !== undefined) throw new CliError(onPostgres)
  const target = resolve(context.terminal.cwd, folder)
  const steps = new Steps(context.terminal, 'backing up')
  const report = await backUpStore(dataDir, target, { onProgress: (...step) => steps.show(...step) })
  steps.end()
  context.output.result(
    { folder: target, ...report },
    `backed up to ${target}: ${formatBytes(report.databaseBytes)} of rows, ${formatBytes(report.copiedBytes)} of bodies copied`,
  )
}

/** Makes a store of a backup, in a data folder that holds nothing yet. */
export async function restore(
  context: CommandContext,
  folder: string,
  { keepUidvalidity }: { readonly keepUidvalidity?: boolean },
): Promise<void> {
  const { dataDir, store } = await context.config()
  if (store.url !== undefined) throw new CliError(onPostgres)
  const source = resolve(context.terminal.cwd, folder)
  const steps = new Steps(context.terminal, 'restoring')
  const report = await restoreStore(source, dataDir, {
    keepsUidValidity: keepUidvalidity === true,
    onProgress: (...step) => steps.show(...step),
  })
  steps.end()
  context.output.result({ dataDir, ...report }, `restored to ${dataDir} from ${source}`)
}
