// GETMETADATA. RFC 5464 §4.2.
import { command, type Completion, type ParseContext } from '../command.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import {
  type MetadataQuery,
  parseEntry,
  readAnnotations,
  selectAnnotations,
  writeAnnotations,
} from '../metadata.ts'
import type { Session } from '../session.ts'
import { mailboxName } from './arguments.ts'

interface Options {
  maxSize: number | undefined
  depth: MetadataQuery['depth']
}

interface GetMetadataArgs extends MetadataQuery {
  readonly name: string
  readonly maxSize: number | undefined
}

export const getMetadata = command({
  name: 'GETMETADATA',
  state: 'authenticated',
  parse: parseArguments,
  run: answer,
})

function parseArguments(parser: Parser, context: ParseContext): GetMetadataArgs {
  const options: Options = { maxSize: undefined, depth: '0' }
  parser.sp()
  // RFC 5464 §5 has the options before the mailbox, its examples after; both are in use.
  let hasOptions = parser.isListNext
  if (hasOptions) {
    parseOptions(parser, options)
    parser.sp()
  }
  const name = mailboxName(parser, context)
  parser.sp()
  if (parser.isListNext && !hasOptions && isOptionNext(parser)) {
    hasOptions = true
    parseOptions(parser, options)
    parser.sp()
  }
  const entries: string[] = []
  // §4.4.1 shows several entries without parentheses.
  if (parser.isListNext) parser.list(() => entries.push(parseEntry(parser)))
  else
    do entries.push(parseEntry(parser))
    while (parser.moreAfterSpace())
  if (entries.length === 0) throw bad('name at least one entry')
  return { name, entries, depth: options.depth, maxSize: options.maxSize }
}

function isOptionNext(parser: Parser): boolean {
  return parser.peekText('(MAXSIZE') || parser.peekText('(DEPTH')
}

function parseOptions(parser: Parser, options: Options): void {
  parser.list(() => {
    const option = parser.keyword()
    parser.sp()
    if (option === 'MAXSIZE') options.maxSize = parser.number()
    else if (option === 'DEPTH') {
      const depth = parser.keyword()
      if (depth !== '0' && depth !== '1' && depth !== 'INFINITY') throw bad('DEPTH is 0, 1 or infinity')
      options.depth = depth
    } else throw bad('GETMETADATA knows MAXSIZE and DEPTH')
  })
}

async function answer(session: Session, args: GetMetadataArgs): Promise<Completion> {
  const all = selectAnnotations(await readAnnotations(session, args.name), args)
  const bound = args.maxSize ?? Infinity
  const fitting = all.filter(({ value }) => (value?.length ?? 0) <= bound)
  const largest = Math.max(0, ...all.map(({ value }) => value?.length ?? 0))
  writeAnnotations(session, canonical(args.name), fitting)
  // §4.2.1.
  return largest > bound ? { code: `METADATA LONGENTRIES ${largest}` } : {}
}

function canonical(name: string): string {
  return name.toUpperCase() === 'INBOX' ? 'INBOX' : name
}
