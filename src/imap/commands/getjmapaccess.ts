// GETJMAPACCESS. RFC 9698 §4, from knowledge of it.
import { command } from '../command.ts'
import { bad } from '../error.ts'
import { noArguments } from './arguments.ts'

export const getJmapAccess = command({
  name: 'GETJMAPACCESS',
  state: 'authenticated',
  parse: noArguments,
  run({ context, out }) {
    const { jmapUrl } = context.config.imap
    // RFC 9698: BAD where no JMAP server is known, and the capability is not announced.
    if (jmapUrl === undefined) throw bad('no JMAP server is known here')
    out.ascii('* JMAPACCESS ').string(jmapUrl).crlf()
  },
})
