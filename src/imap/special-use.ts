// What a mailbox is for. RFC 6154 §2; \Important of RFC 8457. \All and \Flagged are views that other servers make up; they can't be given here.

/** Uses that CREATE can give, as they are shown. */
export const specialUses = ['\\Archive', '\\Drafts', '\\Important', '\\Junk', '\\Sent', '\\Trash'] as const
