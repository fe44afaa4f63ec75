import { runWireTests } from './wire-tests.ts'

await runWireTests('imap', [
  // About the grammar, tables and texts: the store has no part in them, and time is short.
  'extensions-fuzz.test.ts',
  'extensions.test.ts',
  'grammar-fuzz.test.ts',
  'list-pattern.test.ts',
  'mailbox-name.test.ts',
  'parser.test.ts',
  'sequence-set.test.ts',
  // Its faults are those of a server over any store.
  'sessions-model-faults.test.ts',
])
