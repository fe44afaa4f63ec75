// Which bytes may stand where. RFC 9051 §9.

const atom = new Uint8Array(256)
const astring = new Uint8Array(256)
const tag = new Uint8Array(256)
const listMailbox = new Uint8Array(256)

for (let byte = 0x21; byte < 0x7f; byte++) {
  const char = String.fromCharCode(byte)
  const isAtom = !'(){%*"\\]'.includes(char)
  atom[byte] = isAtom ? 1 : 0
  astring[byte] = isAtom || char === ']' ? 1 : 0
  tag[byte] = astring[byte] === 1 && char !== '+' ? 1 : 0
  listMailbox[byte] = astring[byte] === 1 || char === '%' || char === '*' ? 1 : 0
}
// Clients send 8-bit mailbox names unquoted after UTF8=ACCEPT and before; a server that understands them is kinder than one that refuses.
for (let byte = 0x80; byte < 0x100; byte++) {
  astring[byte] = 1
  listMailbox[byte] = 1
}

/** Tables by byte value: 1 where the byte belongs. */
export const syntax = { atom, astring, tag, listMailbox } as const

/** Whether `text` could be sent as an atom. */
export function isAtom(text: string): boolean {
  if (text.length === 0) return false
  for (let at = 0; at < text.length; at++) {
    if (atom[text.charCodeAt(at)] !== 1) return false
  }
  return true
}
