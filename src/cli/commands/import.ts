// import mbox|maildir|eml
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { seen } from '../../store/flags.ts'
import type { ArchiveEntry } from '../../server/archive/archived-message.ts'
import { emlBytes, readEml } from '../../server/archive/eml-reader.ts'
import { importArchive, type ImportReport } from '../../server/archive/importer.ts'
import { maildirBytes, readMaildir } from '../../server/archive/maildir-reader.ts'
import { readMbox } from '../../server/archive/mbox-reader.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext, Run } from '../command.ts'
import { printable } from '../output.ts'
import { Progress } from '../progress.ts'
import { getAccount, onStore } from '../target.ts'

interface ImportOptions {
  readonly account: string
  readonly mailbox: string
  readonly seen?: boolean
}

type Kind = 'mbox' | 'maildir' | 'eml'

/** The command that imports from one kind of archive. */
export function importFrom(kind: Kind): Run<[readonly string[], ImportOptions]> {
  return (context, paths, options) => runImport(context, kind, paths, options)
}

async function runImport(
  context: CommandContext,
  kind: Kind,
  paths: readonly string[],
  options: ImportOptions,
): Promise<void> {
  const { terminal, output } = context
  const sources = paths.map(path => resolve(terminal.cwd, path))
  let totalBytes = 0
  for (const path of sources) totalBytes += await bytesOf(kind, path)
  const report = await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getAccount(target, options.account)
    const progress = new Progress(terminal, `importing ${kind}`, totalBytes)
    try {
      return await importArchive(entriesOf(kind, sources, options, progress), {
        store: target.store,
        account: id,
        onMessages: count => progress.setMessages(count),
        onProblem: ({ source, message }) => progress.note(`${printable(source)}: ${printable(message)}`),
      })
    } finally {
      progress.end()
    }
  })
  output.result(report, summary(report, options.account))
  if (report.problems.length > 0) process.exitCode = 1
}

function summary({ added, known, problems, mailboxes }: ImportReport, account: string): string {
  const folders = Object.entries(mailboxes).map(([name, count]) => `  ${printable(name)}: ${count}`)
  const counts = [`${added} added`, `${known} there already`, `${problems.length} failed`].join(', ')
  return [`${account}: ${counts}`, ...(folders.length > 1 ? folders : [])].join('\n')
}

async function* entriesOf(
  kind: Kind,
  paths: readonly string[],
  { mailbox, seen: isSeen }: ImportOptions,
  progress: Progress,
): AsyncGenerator<ArchiveEntry> {
  for (const path of paths) {
    for await (const entry of readerOf(kind)(path, {
      mailbox,
      onProgress: bytes => progress.addBytes(bytes),
    })) {
      if (entry.kind !== 'message' || isSeen !== true) yield entry
      else yield { ...entry, flags: { ...entry.flags, system: entry.flags.system | seen } }
    }
  }
}

function readerOf(kind: Kind): typeof readMbox {
  switch (kind) {
    case 'mbox':
      return readMbox
    case 'maildir':
      return readMaildir
    case 'eml':
      return readEml
  }
}

async function bytesOf(kind: Kind, path: string): Promise<number> {
  let found: Awaited<ReturnType<typeof stat>>
  try {
    found = await stat(path)
  } catch (error) {
    throw new CliError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error })
  }
  if (kind === 'maildir') {
    if (!found.isDirectory())
      throw new CliError(
        `${path} is a file: a Maildir is a folder. Is it an mbox?  restante import mbox ${basename(path)}`,
      )
    return maildirBytes(path)
  }
  if (kind === 'eml') return emlBytes(path)
  if (found.isDirectory())
    throw new CliError(
      `${path} is a folder: an mbox is a file. Is it a Maildir?  restante import maildir ${basename(path)}`,
    )
  return found.size
}
