// COMPRESS DEFLATE. RFC 4978. Bombs: the layer holds no more than the connection reads, and the limits of lines and literals hold behind it.
import { deflateLayer } from '../../net/deflate.ts'
import { command } from '../command.ts'
import { bad } from '../error.ts'

export const compress = command({
  name: 'COMPRESS',
  state: 'authenticated',
  parse(parser) {
    parser.sp()
    const mechanism = parser.keyword()
    // RFC 4978 §3: an unknown argument is BAD.
    if (mechanism !== 'DEFLATE') throw bad('DEFLATE is the only compression there is')
  },
  run(session) {
    // RFC 4978 §3: BAD when COMPRESS itself is active; [COMPRESSIONACTIVE] is for other layers, and TLS here never compresses.
    if (session.isCompressed) throw bad('compression is active already')
    return {
      text: 'DEFLATE active',
      afterwards: async () => {
        session.isCompressed = true
        await session.connection.wrap(deflateLayer)
      },
    }
  },
})
