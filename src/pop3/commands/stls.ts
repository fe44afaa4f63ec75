// STLS. RFC 2595 §4; CVE-2011-0411 (what came in the clear is dropped); RFC 6856 §2.1 (not after UTF8).
import { noArguments } from '../arguments.ts'
import { command } from '../command.ts'
import { Pop3Error } from '../error.ts'
import { firstLanguage } from '../languages.ts'

export const stls = command({
  name: 'STLS',
  state: 'authorization',
  parse: noArguments,
  async run(session) {
    const { connection, context } = session
    if (connection.secure) throw new Pop3Error(texts => texts.tlsIsActive)
    if (session.isUtf8) throw new Pop3Error(texts => texts.noTlsAfterUtf8)
    const { tls } = context
    if (!tls) throw new Pop3Error(texts => texts.noTls)
    session.ok(texts => texts.beginTls)
    await connection.startTls(tls)
    // All that was learnt in the clear is forgotten.
    session.state = { kind: 'authorization', user: undefined }
    session.language = firstLanguage
  },
})
