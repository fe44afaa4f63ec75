// What an account uses and may use. RFC 9208 §5.
import type { AccountId } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

/** Limits are the account's own: null where the server's default holds. */
export interface AccountQuota {
  readonly usedBytes: number
  readonly limitBytes: number | null
  readonly usedMessages: number
  readonly limitMessages: number | null
  readonly usedMailboxes: number
  readonly limitMailboxes: number | null
  /** Names and values of annotations. */
  readonly usedAnnotationBytes: number
  readonly limitAnnotationBytes: number | null
}

/** Undefined where there is no such account. */
export async function findQuota(reader: Reader, account: AccountId): Promise<AccountQuota | undefined> {
  return await reader.get<AccountQuota>(
    `SELECT used_bytes AS "usedBytes", quota_bytes AS "limitBytes", used_messages AS "usedMessages", quota_messages AS "limitMessages",
       (SELECT count(*) FROM mailbox WHERE mailbox.account = account.id) AS "usedMailboxes", quota_mailboxes AS "limitMailboxes",
       (SELECT coalesce(sum(length(entry) + length(value)), 0) FROM annotation
         WHERE annotation.account = account.id AND value IS NOT NULL)
         + (SELECT coalesce(sum(length(entry) + length(value)), 0) FROM message_annotation
         WHERE message_annotation.account = account.id AND value IS NOT NULL) AS "usedAnnotationBytes",
       quota_annotation_bytes AS "limitAnnotationBytes"
     FROM account WHERE id = ? AND id > 0`,
    account,
  )
}
