// Where in an account a message is put. The rules of a user (Sieve, RFC 5228) have their say here: one message may then become several filings, or none.
import type { LocalRecipient } from '../account/resolve-recipient.ts'
import { type FlagSet, noFlags } from '../store/flags.ts'
import type { DeliveryContext } from './context.ts'

export interface Filing {
  /** Made when it is missing; INBOX when the name can't be one. */
  readonly mailbox: string
  readonly flags: FlagSet
}

/** The implicit keep (RFC 5228 §2.10.2): INBOX, or the folder of a plus address (RFC 5233) where that is configured. */
export async function fileLetter(context: DeliveryContext, to: LocalRecipient): Promise<readonly Filing[]> {
  return [{ mailbox: await folderOf(context, to), flags: noFlags }]
}

async function folderOf(
  { config, store }: DeliveryContext,
  { account, detail }: LocalRecipient,
): Promise<string> {
  const { plusAddress } = config.delivery
  if (plusAddress === 'inbox' || detail === undefined || detail === '') return 'INBOX'
  if (plusAddress === 'folder') return detail
  // The detail of an address is in lower case as a rule.
  const row = await store.reader.get<{ name: string }>(
    'SELECT name FROM mailbox WHERE account = ? AND (name = ? OR lower(name) = ?) ORDER BY name = ? DESC, name LIMIT 1',
    account,
    detail,
    detail.toLowerCase(),
    detail,
  )
  return row?.name ?? 'INBOX'
}
