import { runWireTests } from './wire-tests.ts'

await runWireTests('smtpserver')
