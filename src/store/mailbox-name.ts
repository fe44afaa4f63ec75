// Names of mailboxes as the store keeps them. RFC 9051 §5.1.

/** The name under which a mailbox is kept: NFC, INBOX (also as the first level) in capitals. Says nothing about whether it may be made. */
export function canonicalMailboxName(name: string): string {
  const normal = name.normalize('NFC')
  return /^inbox(?=\/|$)/i.test(normal) ? `INBOX${normal.slice(5)}` : normal
}
