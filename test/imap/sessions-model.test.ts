import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runEpisode } from './model/episode.ts'

const steps = Array.from({ length: 250 }, (_, at) => at)

for (const atOnce of [1, 4]) {
  test(`what four clients believe is so, whatever they do, ${atOnce === 1 ? 'one after the other' : 'at once'} (RFC 9051 §7, RFC 7162)`, async () => {
    for (const seed of [1, 2]) {
      const { violation, transcript } = await runEpisode({ seed, steps, clients: 4, atOnce })
      assert.equal(violation, undefined, transcript.slice(-60).join('\n'))
    }
  })
}
