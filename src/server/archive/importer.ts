// Brings archived messages into an account: in groups, each once, and none of them stops the others.
//
// A message is known by the hash of its bytes. What a mailbox holds as often as the archive has it so far is not added again, so a run
// that was interrupted goes on where it stopped, a second run adds nothing, and an archive that holds a message twice keeps it twice.
import type { AccountId, MailboxId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { summarize } from '../../message/summary.ts'
import { StoreError } from '../../store/error.ts'
import type { NewMessage } from '../../store/mutations/append-messages.ts'
import { findMailbox } from '../../store/read/mailboxes.ts'
import type { BodyRef, Store } from '../../store/store.ts'
import type { ArchivedMessage, ArchiveEntry } from './archived-message.ts'

export interface ImportProblem {
  readonly source: string
  readonly message: string
}

export interface ImportReport {
  readonly added: number
  /** There already. */
  readonly known: number
  readonly problems: readonly ImportProblem[]
  /** By mailbox. */
  readonly mailboxes: Readonly<Record<string, number>>
}

export interface ImportOptions {
  readonly store: Store
  readonly account: AccountId
  /** Called after each group with what has been looked at so far. */
  readonly onMessages?: (count: number) => void
  readonly onProblem?: (problem: ImportProblem) => void
  readonly signal?: AbortSignal
}

interface Pending {
  readonly source: string
  readonly message: NewMessage
  /** Removes what was staged of a large body. */
  readonly discard: () => void
}

interface Target {
  readonly mailbox: MailboxId
  /** How often each hash is there and not yet met in the archive. */
  readonly present: Map<string, number>
  pending: Pending[]
  pendingBytes: number
}

/** Imports everything; what went wrong is in the report. Throws when the store itself fails. */
export async function importArchive(
  entries: AsyncIterable<ArchiveEntry>,
  options: ImportOptions,
): Promise<ImportReport> {
  const run = new ImportRun(options)
  for await (const entry of entries) {
    if (options.signal?.aborted) break
    await run.take(entry)
  }
  return run.end()
}

class ImportRun {
  readonly #options: ImportOptions
  readonly #targets = new Map<string, Target>()
  readonly #problems: ImportProblem[] = []
  readonly #added = new Map<string, number>()
  #known = 0
  #seen = 0

  constructor(options: ImportOptions) {
    this.#options = options
  }

  async take(entry: ArchiveEntry): Promise<void> {
    switch (entry.kind) {
      case 'problem':
        this.#fail(entry.source, entry.message)
        return
      case 'folder':
        await this.#attempt(entry.mailbox, () => this.#target(entry.mailbox))
        return
      case 'message':
        this.#seen++
        await this.#attempt(entry.source, () => this.#takeMessage(entry))
        return
    }
  }

  async end(): Promise<ImportReport> {
    for (const name of this.#targets.keys()) await this.#flush(name)
    const mailboxes = Object.fromEntries(this.#added)
    const added = [...this.#added.values()].reduce((sum, count) => sum + count, 0)
    return { added, known: this.#known, problems: this.#problems, mailboxes }
  }

  /** A refusal is about this message; what fails for all of them ends the import. */
  async #attempt(source: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof StoreError) || isFatal(error)) throw error
      this.#fail(source, error.message)
    }
  }

  #fail(source: string, message: string): void {
    const problem = { source, message }
    if (this.#problems.length < limits.archive.problems) this.#problems.push(problem)
    this.#options.onProblem?.(problem)
  }

  async #takeMessage(entry: ArchivedMessage): Promise<void> {
    const target = await this.#target(entry.mailbox)
    const inline = this.#options.store.bodyOf(entry.bytes)
    const present = target.present.get(inline.hash) ?? 0
    if (present > 0) {
      target.present.set(inline.hash, present - 1)
      this.#known++
      return
    }
    const { body, discard } = await this.#stage(inline, entry.bytes)
    const message = { body, email: summarize(entry.bytes), receivedAt: entry.receivedAt, flags: entry.flags }
    target.pending.push({ source: entry.source, message, discard })
    target.pendingBytes += entry.bytes.length
    if (
      target.pending.length >= limits.archive.groupMessages ||
      target.pendingBytes >= limits.archive.groupBytes
    ) {
      await this.#flush(entry.mailbox)
    }
  }

  /** A large body goes by a file, as when it arrives. */
  async #stage(inline: BodyRef, bytes: Buffer): Promise<{ body: BodyRef; discard: () => void }> {
    if (bytes.length <= limits.store.inlineBodyBytes) return { body: inline, discard: () => {} }
    const staged = this.#options.store.stageBody()
    const discard = () => staged.discard()
    try {
      await staged.write(bytes)
      return { body: await staged.finish(), discard }
    } catch (error) {
      discard()
      throw error
    }
  }

  async #target(name: string): Promise<Target> {
    const known = this.#targets.get(name)
    if (known) return known
    const { store, account } = this.#options
    const mailbox = await ensureMailbox(store, account, name)
    const target: Target = {
      mailbox,
      present: await presentHashes(store, account, mailbox),
      pending: [],
      pendingBytes: 0,
    }
    this.#targets.set(name, target)
    return target
  }

  async #flush(name: string): Promise<void> {
    const target = this.#targets.get(name)
    if (!target || target.pending.length === 0) return
    const group = target.pending
    target.pending = []
    target.pendingBytes = 0
    try {
      await this.#append(target, group)
      this.#count(name, group.length)
    } catch (error) {
      if (!(error instanceof StoreError) || isFatal(error)) throw error
      // One of them is refused: find out which.
      for (const one of group) {
        await this.#attempt(one.source, async () => {
          await this.#append(target, [one])
          this.#count(name, 1)
        })
      }
    } finally {
      for (const { discard } of group) discard()
    }
    this.#options.onMessages?.(this.#seen)
  }

  async #append(target: Target, group: readonly Pending[]): Promise<void> {
    const { store, account } = this.#options
    await store.mutate('appendMessages', {
      account,
      mailbox: target.mailbox,
      messages: group.map(one => one.message),
    })
  }

  #count(name: string, count: number): void {
    this.#added.set(name, (this.#added.get(name) ?? 0) + count)
  }
}

/** The store cannot go on, for any message. */
function isFatal(error: StoreError): boolean {
  return error.code === 'unavailable' || error.code === 'disk-full' || error.code === 'no-such-account'
}

async function ensureMailbox(store: Store, account: AccountId, name: string): Promise<MailboxId> {
  const found = await findMailbox(store.reader, account, name)
  if (found) return found.id
  const { mailbox } = await store.mutate('createMailbox', { account, name })
  await store.mutate('setSubscription', { account, name, subscribed: true })
  return mailbox
}

async function presentHashes(
  store: Store,
  account: AccountId,
  mailbox: MailboxId,
): Promise<Map<string, number>> {
  const rows = await store.reader.arrays<readonly [Uint8Array]>(
    'SELECT e.blob FROM message m JOIN email e ON e.account = m.account AND e.id = m.email WHERE m.account = ? AND m.mailbox = ?',
    account,
    mailbox,
  )
  const present = new Map<string, number>()
  for (const [blob] of rows) {
    const hash = Buffer.from(blob).toString('hex')
    present.set(hash, (present.get(hash) ?? 0) + 1)
  }
  return present
}
