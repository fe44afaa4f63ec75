// What a credential may be used for.

/** The services that ask for a log-in; an app password may be limited to some of them. */
export const scopes = ['imap', 'pop3', 'smtp', 'managesieve', 'jmap'] as const

export type Scope = (typeof scopes)[number]
