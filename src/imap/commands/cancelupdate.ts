// CANCELUPDATE. RFC 5267 §4.3.5.
import { command } from '../command.ts'
import { no } from '../error.ts'

export const cancelUpdate = command({
  name: 'CANCELUPDATE',
  state: 'selected',
  parse(parser) {
    parser.sp()
    const tags = [parser.string()]
    while (parser.moreAfterSpace()) tags.push(parser.string())
    return tags
  },
  run({ view }, tags) {
    const unknown = tags.filter(tag => !view.contexts?.cancel(tag))
    if (unknown.length > 0)
      throw no(undefined, 'Not all of these tags are of searches that were kept up to date')
    return { text: 'No further updates' }
  },
})
