// Flags that all users of a mailbox share: all but \Seen, which each guest has for himself. RFC 4314 §4, §5.2.
import { deleted, seen, systemMask } from './flags.ts'
import { type Rights, rightBits } from './rights.ts'

/** The flags that are everybody's and that rights let somebody change. */
export function sharedFlags(rights: Rights): { readonly system: number; readonly keywords: boolean } {
  const mayWrite = (rights & rightBits.w) !== 0
  const other = mayWrite ? systemMask & ~seen & ~deleted : 0
  return { system: other | (rights & rightBits.t ? deleted : 0), keywords: mayWrite }
}
