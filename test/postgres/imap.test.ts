import { runWireTests } from './wire-tests.ts'

// The index is the embedded store's.
await runWireTests('imap', ['search/indexed.test.ts'])
