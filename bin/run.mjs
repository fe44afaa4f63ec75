// Runs Node 26 (which npm brings) on the given arguments, after installing what a fresh checkout lacks.
// Plain JavaScript that any Node from 20 can start, so that `npm start` and `npm test` need nothing before them.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const shell = process.platform === 'win32'

if (!isInstalled()) install()

const args = process.argv.slice(2)
if (args[0] === '--test' && !args.some(arg => arg.endsWith('.ts'))) args.push('test/**/*.test.ts')
enableCompileCache?.()
const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...args], {
  cwd: args[0] === '--test' ? root : process.cwd(),
  stdio: 'inherit',
  shell,
  env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'), ...process.env },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', error => {
  console.error(`Node 26 could not be started (${error.message}). Try: npm ci`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})

/** Whether node_modules holds what package-lock.json asks for, judged by npm's own record of its last install. */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(node) || !existsSync(record)) return false
  return statSync(record).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs - 1
}

function install() {
  console.error('Installing what Restante needs (npm ci); this happens once.')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell,
    env: { ...process.env, NODE_ENV: 'development' },
  })
  if (npm.status !== 0) {
    console.error('npm ci failed; see above. Check the network or registry, then run the command again.')
    process.exit(1)
  }
}
