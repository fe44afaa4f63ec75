// Messages of a Maildir: https://cr.yp.to/proto/maildir.html; folders by Maildir++ (Courier, Dovecot), or by folders in folders.
//
// A message's flags are the letters behind `:2,` (`;2,` and `!2,` where a system has no colons): P R S T D F, and a to z for the keywords
// that Dovecot lists in `dovecot-keywords`. Its date is the file's, as Dovecot and Courier have it.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { limits } from '../../base/limits.ts'
import { answered, deleted, draft, flagged, type FlagSet, seen } from '../../store/flags.ts'
import type { ArchiveEntry, ArchiveProgress } from './archived-message.ts'
import { lfToCrlf } from './line-endings.ts'
import { decodeModifiedUtf7 } from '../../imap/mailbox-name.ts'

export interface MaildirOptions {
  /** The mailbox of the messages at the top, and above its folders' names when it is not INBOX. */
  readonly mailbox: string
  readonly onProgress?: ArchiveProgress
}

interface MaildirFolder {
  readonly path: string
  readonly mailbox: string
}

/** Reads a Maildir with its folders, each in the order of arrival. Throws when `path` holds no Maildir. */
export async function* readMaildir(
  path: string,
  options: MaildirOptions,
): AsyncGenerator<ArchiveEntry, void> {
  const folders = await findFolders(path, options.mailbox)
  if (folders.length === 0)
    throw new Error(`${path} holds no Maildir: neither it nor a folder in it has "cur" and "new"`)
  for (const folder of folders) {
    yield { kind: 'folder', mailbox: folder.mailbox }
    yield* readFolder(folder, options.onProgress)
  }
}

/** The size of all messages, for a progress bar. */
export async function maildirBytes(path: string): Promise<number> {
  let bytes = 0
  for (const folder of await findFolders(path, 'INBOX')) {
    for (const file of await messageFiles(folder.path)) bytes += file.sizeBytes
  }
  return bytes
}

async function* readFolder(
  folder: MaildirFolder,
  onProgress: ArchiveProgress | undefined,
): AsyncGenerator<ArchiveEntry> {
  const keywords = await readKeywords(folder.path)
  for (const { path: file, receivedAt, sizeBytes } of await messageFiles(folder.path)) {
    onProgress?.(sizeBytes)
    if (sizeBytes > limits.archive.messageBytes) {
      yield { kind: 'problem', source: file, message: `larger than ${limits.archive.messageBytes} bytes` }
      continue
    }
    let bytes: Buffer
    try {
      bytes = await readFile(file)
    } catch (error) {
      yield {
        kind: 'problem',
        source: file,
        message: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      }
      continue
    }
    const flags = maildirFlags(file, keywords)
    yield {
      kind: 'message',
      source: file,
      mailbox: folder.mailbox,
      bytes: lfToCrlf(bytes),
      flags,
      receivedAt,
    }
  }
}

async function findFolders(top: string, mailbox: string): Promise<MaildirFolder[]> {
  const folders: MaildirFolder[] = []
  const visit = async (path: string, depth: number): Promise<void> => {
    if (await isMaildir(path)) folders.push({ path, mailbox: mailboxName(relative(top, path), mailbox) })
    if (depth >= limits.archive.depth) return
    const entries = await readdir(path, { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory() && !isOwnFolder(entry.name)) await visit(join(path, entry.name), depth + 1)
    }
  }
  await visit(top, 0)
  return folders
}

function isOwnFolder(name: string): boolean {
  return name === 'cur' || name === 'new' || name === 'tmp'
}

/** Folders themselves, and no links: who made the Maildir must not have an administrator read other people's files into it. */
async function isMaildir(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true })
  const names = new Set(entries.filter(entry => entry.isDirectory()).map(({ name }) => name))
  return names.has('cur') && names.has('new')
}

/** `.Lists.Node` and `Lists/Node` are Lists/Node, below `top` unless that is the inbox. */
function mailboxName(folder: string, top: string): string {
  if (folder === '') return top
  const levels = folder.split(sep).flatMap(name => (name.startsWith('.') ? name.slice(1).split('.') : [name]))
  // A name is no path: what would be one to somebody else is changed.
  const names = levels
    .map(level => (decodeModifiedUtf7(level) ?? level).replaceAll('/', '_'))
    .filter(name => name !== '')
  return [...(top.toUpperCase() === 'INBOX' ? [] : [top]), ...names].join('/')
}

interface MessageFile {
  readonly path: string
  readonly receivedAt: number
  readonly sizeBytes: number
}

async function messageFiles(folder: string): Promise<MessageFile[]> {
  const files: MessageFile[] = []
  for (const part of ['cur', 'new']) {
    for (const entry of await readdir(join(folder, part), { withFileTypes: true })) {
      if (entry.name.startsWith('.') || !entry.isFile()) continue
      const path = join(folder, part, entry.name)
      const { mtimeMs, size } = await stat(path)
      files.push({ path, receivedAt: Math.floor(mtimeMs), sizeBytes: size })
    }
  }
  return files.toSorted((a, b) => a.receivedAt - b.receivedAt || (a.path < b.path ? -1 : 1))
}

/** `0 $Forwarded`, `1 NonJunk`: the number is that of the letter. */
async function readKeywords(folder: string): Promise<ReadonlyMap<string, string>> {
  let text: string
  try {
    text = await readFile(join(folder, 'dovecot-keywords'), 'utf8')
  } catch {
    return new Map()
  }
  const keywords = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^(\d{1,2}) ([\x21-\x7e]{1,255})$/.exec(line)
    const number = Number(match?.[1])
    if (match?.[2] !== undefined && number < 26) keywords.set(String.fromCharCode(97 + number), match[2])
  }
  return keywords
}

const letters: Readonly<Record<string, number>> = { D: draft, F: flagged, R: answered, S: seen, T: deleted }

/** The flags in a message's file name. */
export function maildirFlags(file: string, keywords: ReadonlyMap<string, string>): FlagSet {
  const info = /[:;!]2,([A-Za-z]*)[^/]*$/.exec(file)?.[1] ?? ''
  let system = 0
  const found: string[] = []
  for (const letter of info) {
    system |= Object.hasOwn(letters, letter) ? (letters[letter] ?? 0) : 0
    const keyword = letter === 'P' ? '$Forwarded' : keywords.get(letter)
    if (keyword !== undefined && !found.includes(keyword)) found.push(keyword)
  }
  return { system, keywords: found }
}
