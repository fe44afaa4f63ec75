// A Maildir that mbsync keeps like the server's INBOX, and that somebody changes all the time.
import { mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../bench/random.ts'
import type { Server } from '../../bench/server.ts'
import { writeMbsync } from '../e2e/fetchers.ts'
import { attempt, type Outcome } from '../e2e/program.ts'
import { drillMessage, idOf } from './drill-message.ts'

/** The flags of each message by its id: a sorted string of Maildir's letters, such as `FS`. */
export type Contents = ReadonlyMap<string, string>

export class MaildirReplica {
  readonly name: string
  readonly folder: string
  readonly #random: Random
  #count = 0

  constructor(name: string, server: Server, account: number, random: Random) {
    this.name = name
    this.#random = random
    this.folder = mkdtempSync(join(tmpdir(), 'drill-maildir-'))
    writeMbsync(this.folder, server, account, 'Sync All\nExpunge Both')
  }

  sync(): Promise<Outcome> {
    return attempt('mbsync', ['-q', '-c', 'mbsyncrc', '-a'], { cwd: this.folder })
  }

  /** One change at random: a flag (most often), a new message, a deletion. */
  change(): void {
    const files = this.#files()
    const dice = this.#random.next()
    if (files.length === 0 || dice < 0.15) this.#add()
    else this.#rename(this.#random.pick(files), dice < 0.25 ? 'T' : this.#random.pick(['F', 'S', 'R', 'D']))
  }

  contents(): Contents {
    const found = new Map<string, string>()
    for (const { part, name } of this.#files()) {
      const id = idOf(readFileSync(join(this.#maildir, part, name)))
      found.set(found.has(id) ? `${id} (again)` : id, flagsOf(name))
    }
    return found
  }

  /** Takes one message away behind mbsync's back. */
  removeOne(): void {
    const [file] = this.#files()
    if (file !== undefined) renameSync(join(this.#maildir, file.part, file.name), join(this.folder, 'gone'))
  }

  get #maildir(): string {
    return join(this.folder, 'mail', 'INBOX')
  }

  #files(): { part: string; name: string }[] {
    return ['cur', 'new'].flatMap(part =>
      readdirSync(join(this.#maildir, part)).map(name => ({ part, name })),
    )
  }

  #add(): void {
    const id = `${this.name}-${++this.#count}-${this.#random.below(1e9)}`
    const text = drillMessage(id, this.#random).toString('latin1').replaceAll('\r\n', '\n')
    writeFileSync(join(this.#maildir, 'cur', `${Date.now()}.${this.#count}.${this.name}:2,`), text, 'latin1')
  }

  /** Sets or takes away a flag. */
  #rename({ part, name }: { part: string; name: string }, flag: string): void {
    const flags = new Set(flagsOf(name))
    if (!flags.delete(flag)) flags.add(flag)
    const base = name.split(':2,')[0] ?? name
    const to = join(this.#maildir, 'cur', `${base}:2,${[...flags].toSorted().join('')}`)
    renameSync(join(this.#maildir, part, name), to)
  }
}

function flagsOf(name: string): string {
  return (name.split(':2,')[1] ?? '').split('').toSorted().join('')
}
