// A message as it lies in a file of another mail program.
import type { FlagSet } from '../../store/flags.ts'

export interface ArchivedMessage {
  readonly kind: 'message'
  /** The file, and where in it: for reports. */
  readonly source: string
  /** The mailbox it was in, '/' between levels, where the archive has folders; INBOX otherwise. */
  readonly mailbox: string
  /** With CRLF at each line's end. */
  readonly bytes: Buffer
  readonly flags: FlagSet
  /** When it was received, milliseconds since 1970; undefined when the archive does not tell. */
  readonly receivedAt: number | undefined
}

/** One message that could not be read; the rest goes on. */
export interface ArchiveProblem {
  readonly kind: 'problem'
  readonly source: string
  readonly message: string
}

/** A folder that may hold no message at all. */
export interface ArchivedFolder {
  readonly kind: 'folder'
  readonly mailbox: string
}

export type ArchiveEntry = ArchivedMessage | ArchiveProblem | ArchivedFolder

/** Tells how far reading is, in bytes of files. */
export type ArchiveProgress = (readBytes: number) => void
