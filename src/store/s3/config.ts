// The options of bodies in S3. The documentation is made from these descriptions.
import { z } from 'zod'
import { leastCacheBytes } from './body-cache.ts'
import { type BucketConfig, bucketPattern } from './bucket.ts'

export const bodiesConfigSchema = z
  .string()
  .regex(bucketPattern, 'expected s3://BUCKET or s3://BUCKET/PREFIX')
  .optional()
  .describe(
    'Where the bodies of messages lie when the store is on PostgreSQL: `s3://BUCKET` or `s3://BUCKET/PREFIX`, in a store that speaks S3. Without it: in tables. Bodies that were stored before it was set stay in tables and are read there. The embedded store has its own bodies, on the same disk as its rows, and refuses it. See docs/scale.md.',
  )

export const s3ConfigSchema = z.strictObject({
  endpoint: z
    .string()
    .regex(/^https?:\/\/[^/?#@]+\/?$/, 'expected https://HOST or https://HOST:PORT')
    .optional()
    .describe('The server, `https://HOST:PORT`. Without it: Amazon’s of the region.'),
  region: z.string().min(1).default('us-east-1').describe('The region that requests are signed for.'),
  accessKey: z.string().min(1).optional().describe('The id of the access key.'),
  secretKey: z.string().min(1).optional().describe('The secret of the access key.'),
  sessionToken: z.string().min(1).optional().describe('The token that belongs to a temporary access key.'),
  pathStyle: z
    .boolean()
    .default(false)
    .describe(
      'The bucket is the first word of the path, as most servers besides Amazon’s want it, and not of the host name.',
    ),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file of the authorities that may certify the server. Without it: those that Node knows.'),
  cacheBytes: z
    .number()
    .int()
    .min(leastCacheBytes)
    .default(10 * 2 ** 30)
    .describe(
      'Bytes of bodies that this node keeps on its disk, in `cache` of the data folder, so that S3 is asked once.',
    ),
})

/** What is missing beside `bodies`; undefined when nothing is. */
export function findBucketProblem({
  url,
  bodies,
  s3,
}: BucketConfig & { readonly url?: string | undefined }):
  | { readonly key: string; readonly message: string }
  | undefined {
  if (bodies === undefined) return undefined
  if (url === undefined) {
    return {
      key: 'bodies',
      message:
        'bodies in S3 need a store on PostgreSQL (store.url): the embedded one keeps bodies and rows on one disk, and would be no safer and slower',
    }
  }
  for (const key of ['accessKey', 'secretKey'] as const) {
    if (s3[key] === undefined) return { key: `s3.${key}`, message: 'is needed for bodies in S3' }
  }
  return undefined
}
