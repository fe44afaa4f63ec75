#!/usr/bin/env node
// The program `restante`: the TypeScript of a checkout, the JavaScript of the installed package, which has no other (Node strips no types in node_modules).
// Plain JavaScript without new words, so that an old Node can say what is wrong.
import { existsSync } from 'node:fs'
import module from 'node:module'

const wanted = 26
const [major] = process.versions.node.split('.')
if (Number(major) < wanted) {
  console.error(
    `Restante needs Node ${wanted} or newer; this is Node ${process.versions.node} (${process.execPath}).`,
  )
  console.error(
    'Get it from https://nodejs.org, or let npm bring it:  npx -y -p node@26 -p restante restante …',
  )
  process.exit(1)
}
// Node says so of its SQLite; there is nothing to do about it.
const { emitWarning } = process
process.emitWarning = (warning, ...rest) => {
  if (rest[0] !== 'ExperimentalWarning' && rest[0]?.type !== 'ExperimentalWarning')
    emitWarning.call(process, warning, ...rest)
}
module.enableCompileCache?.()
const source = new URL('../src/main.ts', import.meta.url)
const built = new URL('../dist/main.js', import.meta.url)
if (!existsSync(source) && !existsSync(built)) {
  console.error(
    'This copy of Restante is not whole: it has neither dist nor src. Install it anew:  npm install restante',
  )
  process.exit(1)
}
await import(existsSync(source) ? source.href : built.href)
