// Signatures beside those of aws4fetch, and of Amazon's own example.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AwsV4Signer } from 'aws4fetch'
import fc from 'fast-check'
import { emptyHash, encodePath, encodeQuery, Signer } from '../../../src/store/s3/signature.ts'

// Amazon S3 API Reference, "Signature Calculations for the Authorization Header", GET Object.
test('the example of the standard has its signature', () => {
  const signer = new Signer(
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    'us-east-1',
  )
  const { authorization } = signer.sign(
    {
      method: 'GET',
      host: 'examplebucket.s3.amazonaws.com',
      path: '/test.txt',
      query: {},
      headers: { range: 'bytes=0-9' },
      bodyHash: emptyHash,
    },
    Date.UTC(2013, 4, 24),
  )
  assert.match(
    authorization ?? '',
    /Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/,
  )
})

test('any name, query and time is signed as aws4fetch signs it', async () => {
  const credentials = { accessKeyId: 'AK', secretAccessKey: 'a secret', sessionToken: 'token' }
  const signer = new Signer(credentials, 'eu-1')
  const word = fc.stringMatching(/^[A-Za-z0-9 ._~!'()*&=%äß-]{1,12}$/)
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { minLength: 1, maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z-]{1,9}$/), word, { maxKeys: 4 }),
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      async (words, query, nowMs) => {
        fc.pre(!words.some(part => /^\.{1,2}$/.test(part)))
        const path = encodePath(`/${words.join('/')}`)
        const bodyHash = 'ab'.repeat(32)
        const own = signer.sign(
          { method: 'PUT', host: 's3.test:9000', path, query, headers: {}, bodyHash },
          nowMs,
        )
        const search = encodeQuery(query)
        const other = await new AwsV4Signer({
          ...credentials,
          method: 'PUT',
          url: `http://s3.test:9000${path}${search === '' ? '' : `?${search}`}`,
          headers: { 'x-amz-content-sha256': bodyHash },
          service: 's3',
          region: 'eu-1',
          datetime: own['x-amz-date'] as string,
        }).sign()
        assert.equal(own['authorization'], other.headers.get('authorization'))
      },
    ),
    { numRuns: 200 },
  )
})
