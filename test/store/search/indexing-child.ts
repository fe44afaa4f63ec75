// A child process that fills the search index and says when it goes on; its parent kills it.
import { silentMetrics } from '../../../src/base/metrics.ts'
import { openStore } from '../../../src/store/open-store.ts'

const [dataDir = ''] = process.argv.slice(2)
const count = (name: string) => {
  if (name.startsWith('search_index')) process.stdout.write(`${name}\n`)
}
const store = await openStore({ dataDir }, { searchIndex: true, metrics: { ...silentMetrics, count } })
await store.maintain()
await store.close()
