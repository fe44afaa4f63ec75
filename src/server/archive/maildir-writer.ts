// Writes mailboxes as a Maildir with Maildir++ folders, which Dovecot, Courier, mutt and `maildir-reader.ts` read.
//
// Names of folders are modified UTF-7, so that no name of a mailbox can lead out of the folder. Keywords are the letters of `dovecot-keywords`.
import { mkdir, open, rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeModifiedUtf7 } from '../../imap/mailbox-name.ts'
import { answered, deleted, draft, flagged, type FlagSet, seen } from '../../store/flags.ts'
import { crlfToLf } from './line-endings.ts'

const maxKeywords = 26

export class MaildirWriter {
  readonly #path: string
  readonly #keywords: string[] = []
  #count = 0

  private constructor(path: string) {
    this.#path = path
  }

  /** Makes the folder of a mailbox below `top`; INBOX is `top` itself. */
  static async create(top: string, mailbox: string): Promise<MaildirWriter> {
    const writer = new MaildirWriter(mailbox === 'INBOX' ? top : join(top, folderName(mailbox)))
    for (const part of ['cur', 'new', 'tmp'])
      await mkdir(join(writer.#path, part), { recursive: true, mode: 0o700 })
    // Maildir++: this marks a folder.
    if (mailbox !== 'INBOX') await writeFile(join(writer.#path, 'maildirfolder'), '')
    return writer
  }

  /** Writes one message, first into tmp as Maildir wants it. */
  async add(message: Buffer, flags: FlagSet, receivedAt: number): Promise<void> {
    const seconds = Math.floor(receivedAt / 1000)
    const name = `${seconds}.R${String(++this.#count).padStart(8, '0')}.restante`
    const temporary = join(this.#path, 'tmp', name)
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(crlfToLf(message))
    } finally {
      await handle.close()
    }
    await utimes(temporary, seconds, seconds)
    await rename(temporary, join(this.#path, 'cur', `${name}:2,${this.#letters(flags)}`))
  }

  /** Writes what the letters of keywords mean. */
  async end(): Promise<void> {
    if (this.#keywords.length === 0) return
    const lines = this.#keywords.map((keyword, index) => `${index} ${keyword}\n`)
    await writeFile(join(this.#path, 'dovecot-keywords'), lines.join(''), { mode: 0o600 })
  }

  /** In the order of ASCII, as the standard wants them; keywords past the alphabet are lost. */
  #letters({ system, keywords }: FlagSet): string {
    const has = (flag: number, letter: string) => ((system & flag) === 0 ? '' : letter)
    const passed = keywords.includes('$Forwarded') ? 'P' : ''
    const own = keywords.filter(keyword => keyword !== '$Forwarded').map(keyword => this.#letterOf(keyword))
    return `${has(draft, 'D')}${has(flagged, 'F')}${passed}${has(answered, 'R')}${has(seen, 'S')}${has(deleted, 'T')}${own.toSorted().join('')}`
  }

  #letterOf(keyword: string): string {
    if (!this.#keywords.includes(keyword)) {
      if (this.#keywords.length >= maxKeywords) return ''
      this.#keywords.push(keyword)
    }
    return String.fromCharCode(97 + this.#keywords.indexOf(keyword))
  }
}

/** `.Lists.Node` for Lists/Node. A dot in a level would be a level to others. */
function folderName(mailbox: string): string {
  return mailbox
    .split('/')
    .map(level => `.${encodeModifiedUtf7(level).replaceAll('.', '_')}`)
    .join('')
}
