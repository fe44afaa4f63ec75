import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runEpisode } from './model/episode.ts'
import { faults } from './model/faults.ts'

const steps = Array.from({ length: 250 }, (_, at) => at)

test('the model notices what a server says wrongly', async () => {
  for (const fault of Object.keys(faults)) {
    let violation: string | undefined
    for (let seed = 3; seed < 9 && violation === undefined; seed++)
      ({ violation } = await runEpisode({ seed, steps, clients: 4, atOnce: 1, fault }))
    assert.notEqual(violation, undefined, fault)
  }
})
