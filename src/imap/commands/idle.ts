// IDLE. RFC 2177; RFC 9051 §6.3.13.
import { limits } from '../../base/limits.ts'
import { ConnectionError } from '../../net/connection-error.ts'
import { command } from '../command.ts'
import { bad, bye } from '../error.ts'
import { tellNews, watchNews } from '../news.ts'
import { noArguments } from './arguments.ts'

export const idle = command({
  name: 'IDLE',
  state: 'authenticated',
  parse: noArguments,
  async run(session) {
    const { connection, context, out } = session
    out.line('+ idling').send()
    const unwatch = watchNews(session)
    try {
      // Tells of changes as they come, until the client says something. A lost hint is made good at the next keep-alive.
      for (;;) {
        await tellNews(session, true)
        out.send()
        const event = await connection.waitForInput(context.config.imap.keepAliveMs)
        if (event === 'input' || event === 'end' || connection.isStopping) break
        // NAT devices forget silent connections, and this is how the server finds out that one is dead.
        if (event === 'timeout') session.say(undefined, 'Still here')
      }
    } finally {
      unwatch()
    }
    if (connection.isStopping) throw bye(session.farewell)
    const line = await connection.readLine(limits.imap.lineBytes)
    if (line === undefined) throw new ConnectionError('ConnectionClosed', 'the client left while idling')
    if (line.toString('latin1').toUpperCase() !== 'DONE') throw bad('IDLE ends with DONE')
    return { text: 'IDLE ended' }
  },
})
