// The bucket of the configuration. Apart from its schema, which only the supervisor needs.
import { readFileSync } from 'node:fs'
import { StoreError } from '../error.ts'
import type { BucketPlace } from '../postgres/place.ts'

/** `store.bodies` and `store.s3` of the configuration. */
export interface BucketConfig {
  readonly bodies?: string | undefined
  readonly s3: {
    readonly endpoint?: string | undefined
    readonly region: string
    readonly accessKey?: string | undefined
    readonly secretKey?: string | undefined
    readonly sessionToken?: string | undefined
    readonly pathStyle: boolean
    readonly caFile?: string | undefined
    readonly cacheBytes: number
  }
}

export const bucketPattern = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]{0,200}))?$/

/** The bucket that the configuration names. Throws `StoreError` when the file of its authorities cannot be read. */
export function bucketOf({ bodies, s3 }: BucketConfig): BucketPlace | undefined {
  const match = bucketPattern.exec(bodies ?? '')
  if (!match?.[1]) return undefined
  const prefix = (match[2] ?? '').replace(/\/+$/, '')
  return {
    endpoint: s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com`,
    region: s3.region,
    bucket: match[1],
    prefix: prefix === '' ? '' : `${prefix}/`,
    accessKeyId: s3.accessKey ?? '',
    secretAccessKey: s3.secretKey ?? '',
    sessionToken: s3.sessionToken,
    pathStyle: s3.pathStyle,
    ca: s3.caFile === undefined ? undefined : readAuthorities(s3.caFile),
    cacheBytes: s3.cacheBytes,
  }
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new StoreError('unavailable', `the authorities of S3 (${file}) cannot be read`, { cause: error })
  }
}
