// What a credential may be used for.

/** The services that ask for a log-in; an app password may be limited to some of them. */
export const scopes = ['imap', 'pop3', 'smtp', 'managesieve', 'jmap'] as const

export type Scope = (typeof scopes)[number]

/** The scopes of a credential as its row has them: a JSON array, empty for all. What is no scope (any more) is left out. */
export function parseScopes(text: string): readonly Scope[] {
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list) || list.length === 0) return scopes
  return scopes.filter(scope => list.includes(scope))
}
