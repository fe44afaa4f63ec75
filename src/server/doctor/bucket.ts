// The bucket: what the store has to be able to do in it, tried with an object that is removed again.
import { randomBytes, randomUUID } from 'node:crypto'
import type { BucketPlace } from '../../store/postgres/place.ts'
import { contentOf, S3Client } from '../../store/s3/client.ts'
import { type DoctorItem, item, judge, reasonOf } from './item.ts'

interface Trial {
  readonly id: string
  readonly expected: string
  readonly right: string
  readonly run: () => Promise<void>
}

export async function examineBucket(place: BucketPlace): Promise<readonly DoctorItem[]> {
  const client = new S3Client(place)
  const name = `doctor-${randomUUID()}`
  const bytes = randomBytes(4096)
  const trials: readonly Trial[] = [
    {
      id: 'bucket-list',
      expected: 'the bucket can be listed',
      right: 's3:ListBucket',
      run: async () => {
        await client.list(undefined, 1)
      },
    },
    {
      id: 'bucket-put',
      expected: 'an object can be written',
      right: 's3:PutObject',
      run: () => client.put(name, contentOf(bytes)),
    },
    {
      id: 'bucket-get',
      expected: 'it can be read in a range, at once and as it was written',
      right: 's3:GetObject',
      run: async () => {
        const found = await client.get(name, 1000, 3000)
        if (!found?.equals(bytes.subarray(1000, 3000)))
          throw new Error(found ? 'other bytes came' : 'it is not there')
      },
    },
    {
      id: 'bucket-delete',
      expected: 'it can be removed, and is gone at once',
      right: 's3:DeleteObject',
      run: async () => {
        await client.deleteMany([name])
        if (await client.head(name)) throw new Error('it is still there')
      },
    },
  ]
  try {
    const items: DoctorItem[] = []
    for (const trial of trials) items.push(await tryOne(trial))
    items.push(await examineClock(client))
    return items
  } finally {
    client.close()
  }
}

async function tryOne({ id, expected, right, run }: Trial): Promise<DoctorItem> {
  const startMs = performance.now()
  try {
    await run()
    const ms = performance.now() - startMs
    return item(id, judge(ms, 500, 10_000), {
      expected: `${expected}, within 500 ms`,
      actual: `${ms.toFixed(1)} ms`,
      fix: 'put the bucket nearer, or find what makes it slow: mail is acknowledged when it is there',
    })
  } catch (error) {
    return item(id, 'fail', {
      expected,
      actual: reasonOf(error),
      fix: `look at store.s3 (endpoint, region, pathStyle, keys), and give the key ${right}`,
    })
  }
}

async function examineClock(client: S3Client): Promise<DoctorItem> {
  const expected = 'the clocks of this machine and of S3 differ by less than a minute'
  try {
    const startMs = Date.now()
    const { serverNow } = await client.list(undefined, 1)
    // The server tells whole seconds.
    const differenceMs = Math.max(0, Math.abs(serverNow - (startMs + Date.now()) / 2) - 1000)
    return item('bucket-clock', judge(differenceMs, 60_000, 10 * 60_000), {
      expected,
      actual: `${Math.round(differenceMs / 1000)} s`,
      fix: 'run an NTP client: signatures are refused when the clock is a quarter of an hour off',
    })
  } catch (error) {
    return item('bucket-clock', 'fail', {
      expected,
      actual: reasonOf(error),
      fix: 'see the lines above; RequestTimeTooSkewed means that the clock of this machine is wrong',
    })
  }
}
