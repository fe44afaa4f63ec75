// Ends a test file whose tests are over and whose process is not: something was left open. Otherwise the whole run would wait for it for ever.
import { after } from 'node:test'

const graceMs = 60_000

after(() => {
  setTimeout(() => {
    console.error(
      `The tests are over, and these keep the process: ${process.getActiveResourcesInfo().join(', ')}`,
    )
    process.exit(1)
  }, graceMs).unref()
})
