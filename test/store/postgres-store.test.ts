import { openPostgres } from '../../src/store/postgres/open-postgres.ts'
import { createDatabase } from '../postgres/database.ts'
import { storeConformance } from './conformance.ts'

const database = await createDatabase()

storeConformance('on PostgreSQL', async (t, options) => {
  const store = await openPostgres({ url: database.url }, options)
  t.after(() => store.close())
  return store
})
