// Keeps a packed snapshot of a mailbox (`snapshots/packing.ts`). A cache: losing it costs time only, so nobody waits for it.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import type { Tx } from '../store.ts'

export interface SaveSnapshot {
  readonly account: AccountId
  readonly mailbox: MailboxId
  /** The modSeq of the packed snapshot that these chunks change; 0 for none. When another thread was quicker, nothing happens. */
  readonly basedOn: number
  /** Chunks that are new or different. */
  readonly chunks: readonly { readonly chunk: number; readonly data: Uint8Array }[]
  /** Ends the snapshot: without it more chunks follow. */
  readonly header?:
    | { readonly modSeq: ModSeq; readonly chunkCount: number; readonly data: Uint8Array }
    | undefined
}

/** The row of the header; chunk `n` has the row `n + 1`. */
const headerRow = 0

/** False when nothing was kept. */
export async function saveSnapshot(
  tx: Tx,
  { account, mailbox, basedOn, chunks, header }: SaveSnapshot,
): Promise<boolean> {
  const known = await tx.get<{ mod_seq: number }>(
    'SELECT mod_seq FROM snapshot WHERE account = ? AND mailbox = ? AND chunk = ?',
    account,
    mailbox,
    headerRow,
  )
  if ((known?.mod_seq ?? 0) !== basedOn) return false
  if (!(await tx.get('SELECT id FROM mailbox WHERE account = ? AND id = ?', account, mailbox))) return false
  const save = (row: number, modSeq: number, data: Uint8Array) =>
    tx.run(
      `INSERT INTO snapshot (account, mailbox, chunk, mod_seq, data) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (account, mailbox, chunk) DO UPDATE SET mod_seq = excluded.mod_seq, data = excluded.data`,
      account,
      mailbox,
      row,
      modSeq,
      data,
    )
  for (const { chunk, data } of chunks) await save(chunk + 1, 0, data)
  if (!header) return true
  await save(headerRow, header.modSeq, header.data)
  await tx.run(
    'DELETE FROM snapshot WHERE account = ? AND mailbox = ? AND chunk > ?',
    account,
    mailbox,
    header.chunkCount,
  )
  return true
}
