// What `server.import` is given: bytes, or the path of a message, an mbox or a Maildir.
import { open, readdir, stat } from 'node:fs/promises'
import type { ArchiveEntry } from '../server/archive/archived-message.ts'
import { emlMessage, readEml } from '../server/archive/eml-reader.ts'
import { readMaildir } from '../server/archive/maildir-reader.ts'
import { readMbox } from '../server/archive/mbox-reader.ts'

/** One message. A copy is taken: the caller may change the bytes. */
export async function* entriesOfBytes(bytes: Uint8Array, mailbox: string): AsyncGenerator<ArchiveEntry> {
  yield emlMessage(Buffer.from(bytes), 'bytes', mailbox, undefined)
}

/** A folder with `cur` and `new` is a Maildir, a file that begins with `From ` an mbox, all else is messages. */
export async function* entriesOfPath(path: string, mailbox: string): AsyncGenerator<ArchiveEntry> {
  if ((await stat(path)).isDirectory()) {
    const names = await readdir(path)
    const isMaildir = names.includes('cur') && names.includes('new')
    yield* isMaildir ? readMaildir(path, { mailbox }) : readEml(path, { mailbox })
    return
  }
  yield* (await startsLikeMbox(path)) ? readMbox(path, { mailbox }) : readEml(path, { mailbox })
}

async function startsLikeMbox(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 0)
    return buffer.toString('latin1', 0, bytesRead) === 'From '
  } finally {
    await file.close()
  }
}
