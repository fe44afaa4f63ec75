// RFC822, RFC822.HEADER and RFC822.TEXT: of IMAP4rev1 only. RFC 3501 §6.4.5; RFC 9051 appendix E.
import type { ParseContext } from '../../command.ts'
import { bad } from '../../error.ts'
import type { FetchItemDefinition } from '../fetch-item.ts'
import { sectionItem } from './body.ts'

/** Equal to BODY[]. */
export const rfc822: FetchItemDefinition = {
  name: 'RFC822',
  parse(_parser, context) {
    refuseInRev2(context)
    return sectionItem('RFC822', { kind: 'BODY', path: [] }, undefined, true)
  },
}

/** Equal to BODY.PEEK[HEADER]: it doesn't set \Seen. */
export const rfc822Header: FetchItemDefinition = {
  name: 'RFC822.HEADER',
  parse(_parser, context) {
    refuseInRev2(context)
    return sectionItem('RFC822.HEADER', { kind: 'HEADER', path: [] }, undefined, false)
  },
}

/** Equal to BODY[TEXT]. */
export const rfc822Text: FetchItemDefinition = {
  name: 'RFC822.TEXT',
  parse(_parser, context) {
    refuseInRev2(context)
    return sectionItem('RFC822.TEXT', { kind: 'TEXT', path: [] }, undefined, true)
  },
}

function refuseInRev2({ session }: ParseContext): void {
  if (session.has('IMAP4REV2')) throw bad('IMAP4rev2 has no RFC822 items; use BODY[]')
}
