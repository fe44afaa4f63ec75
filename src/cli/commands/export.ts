// export mbox|maildir
import { createWriteStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import type { AccountId } from '../../base/ids.ts'
import { encodeModifiedUtf7 } from '../../imap/mailbox-name.ts'
import { MaildirWriter } from '../../server/archive/maildir-writer.ts'
import { mboxEntry } from '../../server/archive/mbox-writer.ts'
import { messagesOf, type StoredMessage } from '../../server/archive/mailbox-messages.ts'
import { StoreError } from '../../store/error.ts'
import { listMailboxes, type Mailbox } from '../../store/read/mailboxes.ts'
import type { Store } from '../../store/store.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext, Run } from '../command.ts'
import { printable } from '../output.ts'
import { Progress } from '../progress.ts'
import { getAccount, onStore } from '../target.ts'

interface ExportOptions {
  readonly account: string
  readonly mailbox: readonly string[]
}

type Kind = 'mbox' | 'maildir'

/** Takes the messages of one mailbox. */
interface Sink {
  add(message: Buffer, stored: StoredMessage): Promise<void>
  end(): Promise<void>
}

/** The command that exports to one kind of archive. */
export function exportTo(kind: Kind): Run<[string, ExportOptions]> {
  return (context, folder, options) => runExport(context, kind, folder, options)
}

async function runExport(
  context: CommandContext,
  kind: Kind,
  folder: string,
  options: ExportOptions,
): Promise<void> {
  const path = resolve(context.terminal.cwd, folder)
  await mkdir(path, { recursive: true, mode: 0o700 })
  if ((await readdir(path)).length > 0) throw new CliError(`${path} is not empty: export into a new folder`)
  const counts: Record<string, number> = {}
  const problems: { readonly source: string; readonly message: string }[] = []
  await onStore(context, { mayCreate: false }, async target => {
    const { id, usedBytes } = await getAccount(target, options.account)
    const mailboxes = chosen(await listMailboxes(target.store.reader, id), options.mailbox)
    const progress = new Progress(context.terminal, `exporting ${kind}`, usedBytes)
    try {
      for (const mailbox of mailboxes) {
        counts[mailbox.name] = await exportMailbox(
          target.store,
          id,
          mailbox,
          await openSink(kind, path, mailbox.name),
          progress,
          problems,
        )
      }
    } finally {
      progress.end()
    }
  })
  for (const { source, message } of problems) context.output.note(`${printable(source)}: ${message}`)
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  context.output.result(
    { folder: path, mailboxes: counts, problems },
    `${total} messages of ${options.account} written to ${path}`,
  )
  if (problems.length > 0) process.exitCode = 1
}

function chosen(mailboxes: readonly Mailbox[], names: readonly string[]): readonly Mailbox[] {
  if (names.length === 0) return mailboxes
  return names.map(name => {
    const found = mailboxes.find(mailbox => mailbox.name === name || mailbox.name === name.toUpperCase())
    if (!found)
      throw new CliError(`there is no mailbox ${name}: ${mailboxes.map(mailbox => mailbox.name).join(', ')}`)
    return found
  })
}

async function exportMailbox(
  store: Store,
  account: AccountId,
  mailbox: Mailbox,
  sink: Sink,
  progress: Progress,
  problems: { readonly source: string; readonly message: string }[],
): Promise<number> {
  let count = 0
  for await (const stored of messagesOf(store, account, mailbox.id)) {
    try {
      const bytes = await store.readBody(account, stored.hash)
      await sink.add(bytes, stored)
      progress.addBytes(bytes.length)
      progress.setMessages(++count)
    } catch (error) {
      // One that is gone or damaged does not keep the rest here.
      if (!(error instanceof StoreError)) throw error
      problems.push({ source: `${mailbox.name} ${stored.hash}`, message: error.message })
    }
  }
  await sink.end()
  return count
}

async function openSink(kind: Kind, path: string, mailbox: string): Promise<Sink> {
  if (kind === 'maildir') {
    const writer = await MaildirWriter.create(path, mailbox)
    return {
      add: (message, { flags, receivedAt }) => writer.add(message, flags, receivedAt),
      end: () => writer.end(),
    }
  }
  // A level of the hierarchy is a dot in the file's name, and the encoding leaves nothing that could lead elsewhere.
  const name = `${encodeModifiedUtf7(mailbox).replaceAll('.', '_').replaceAll('/', '.')}.mbox`
  const file = createWriteStream(join(path, name), { flags: 'wx', mode: 0o600 })
  await once(file, 'open')
  return {
    async add(message, { flags, receivedAt }) {
      if (!file.write(mboxEntry(message, flags, receivedAt, 'MAILER-DAEMON'))) await once(file, 'drain')
    },
    async end() {
      file.end()
      await once(file, 'close')
    },
  }
}
