// ENABLE. RFC 5161; RFC 9051 §6.3.1.
import { capabilities } from '../capabilities.ts'
import { command } from '../command.ts'
import { type Switch } from '../session.ts'
import { enableCondstore } from '../condstore.ts'
import { MetadataNews } from '../metadata-news.ts'

/** What ENABLE takes, in capitals. */
const switches = new Map(
  capabilities.flatMap(row =>
    row.enable && typeof row.name === 'string' ? [[row.name.toUpperCase(), row] as const] : [],
  ),
)

export const enable = command({
  name: 'ENABLE',
  state: 'authenticated',
  parse(parser) {
    const names: string[] = []
    while (parser.moreAfterSpace()) names.push(parser.keyword())
    return names
  },
  async run(session, names) {
    const enabled: string[] = []
    for (const name of names) {
      const row = switches.get(name)
      // What is not known, or does not need enabling, is passed over (RFC 5161 §3.1).
      if (!row || (row.isOn && !row.isOn(session)) || session.has(name as Switch)) continue
      enabled.push(row.name as string)
      if (name === 'CONDSTORE' || name === 'QRESYNC') enableCondstore(session)
      if (name.startsWith('METADATA')) session.metadataNews ??= await MetadataNews.start(session)
      session.switchOn(name as Switch)
    }
    session.out.line(['* ENABLED', ...enabled].join(' '))
  },
})
