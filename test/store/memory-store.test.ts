import { openStore } from '../../src/store/open-store.ts'
import { storeConformance } from './conformance.ts'

storeConformance('in memory', async (t, options) => {
  const store = await openStore({ memory: true }, options)
  t.after(() => store.close())
  return store
})
