import { openStore } from '../../src/store/open-store.ts'
import { storeConformance } from './conformance.ts'
import { temporaryFolder } from './fixture.ts'

storeConformance('on disk', async (t, options) => {
  const store = await openStore({ dataDir: temporaryFolder(t) }, options)
  t.after(() => store.close())
  return store
})
