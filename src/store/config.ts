// The store's options. The documentation is made from these descriptions.
import { z } from 'zod'
import { bodiesConfigSchema, findBucketProblem, s3ConfigSchema } from './s3/config.ts'

const tls = z.strictObject({
  mode: z
    .enum(['auto', 'verify', 'require', 'off'])
    .default('auto')
    .describe(
      '`verify` checks the certificate and the name of the database server; `require` encrypts and trusts any certificate; `off` does not encrypt; `auto` is `verify`, and `off` to this machine.',
    ),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'PEM file of the authorities that may certify the database server. Without it: those that Node knows.',
    ),
  certFile: z.string().min(1).optional().describe('PEM file of a client certificate to log in with.'),
  keyFile: z.string().min(1).optional().describe('PEM file of its private key.'),
})

const sessions = z.strictObject({
  read: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Connections to the database that reads of one thread share.'),
  write: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Connections of one thread that change something: so many transactions at a time.'),
})

export const storeConfigSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^postgres(?:ql)?:\/\//, 'expected postgres://USER:PASSWORD@HOST:PORT/DATABASE')
      .optional()
      .describe(
        'The PostgreSQL database that holds the store, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; several hosts with commas between, of which the one that can be written serves; `%2Frun%2Fpostgresql` as the host for a unix socket. Without it the store is embedded, in `dataDir`. See docs/scale.md.',
      ),
    tls: tls.prefault({}).describe('The connection to PostgreSQL.'),
    sessions: sessions
      .prefault({})
      .describe('How many connections each thread has to PostgreSQL; one more of the node hears of changes.'),
    bodies: bodiesConfigSchema,
    s3: s3ConfigSchema.prefault({}).describe('The server of `store.bodies`.'),
    durability: z
      .enum(['mail', 'strict'])
      .default('mail')
      .describe(
        'What is on disk before it is acknowledged: `mail` says all mail, copies, moves and expunges (a power cut, not a crash, may undo flag changes of the last second), `strict` says flag changes as well. For the embedded store; on PostgreSQL every change is as durable as its `synchronous_commit` says.',
      ),
  })
  .superRefine((store, context) => {
    const problem = findBucketProblem(store)
    if (problem) context.addIssue({ code: 'custom', path: problem.key.split('.'), message: problem.message })
  })
  .prefault({})
  .describe('The store.')

export const searchConfigSchema = z
  .strictObject({
    index: z
      .boolean()
      .default(true)
      .describe(
        'Keep an index of the mail (`search.db` beside the store, or tables of the PostgreSQL database; about a tenth of the size of the mail), by which SEARCH finds text without reading every message. It is filled in the background, and may be removed at any time.',
      ),
  })
  .prefault({})
  .describe('Searching.')
