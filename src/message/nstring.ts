// Strings in the form that IMAP sends. RFC 9051 §4.3, §9 (string, nstring).
//
// Latin-1 text in, Latin-1 text out: one character a byte. A quoted string holds only what IMAP4rev1 lets
// stand in it without UTF8=ACCEPT (RFC 3501 §9: TEXT-CHAR of 7 bits, no CR, LF or NUL); the rest is a literal.

/** A string for the wire: quoted where it may be, else a literal. NUL cannot be sent, and becomes 0x80 (RFC 3501 §9: CHAR8). */
export function wireString(text: string): string {
  let needsEscape = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char > 126 || char === 13 || char === 10 || char === 0) return wireLiteral(text)
    if (char === 34 || char === 92) needsEscape = true
  }
  return needsEscape ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : `"${text}"`
}

function wireLiteral(text: string): string {
  return `{${text.length}}\r\n${text.replaceAll('\0', '\x80')}`
}

/** A string, or NIL where there is none. */
export function wireNstring(text: string | undefined): string {
  return text === undefined ? 'NIL' : wireString(text)
}

/** A text for people on one line: each run of white space is one space, none at the ends. */
export function collapseSpace(text: string): string {
  let pieces: string[] | undefined
  let start = 0
  let at = 0
  const { length } = text
  while (at < length) {
    const char = text.charCodeAt(at)
    if (char === 32 || char === 9 || char === 10 || char === 13) {
      let next = at + 1
      while (next < length) {
        const follower = text.charCodeAt(next)
        if (follower !== 32 && follower !== 9 && follower !== 10 && follower !== 13) break
        next++
      }
      if (next > at + 1 || char !== 32 || at === 0 || next === length) {
        pieces ??= []
        pieces.push(text.slice(start, at))
        if (at > 0 && next < length) pieces.push(' ')
        start = next
      }
      at = next
    } else at++
  }
  if (pieces === undefined) return text
  pieces.push(text.slice(start))
  return pieces.join('')
}
