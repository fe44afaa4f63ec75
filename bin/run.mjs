// Runs Node 26 (which npm brings) on the given arguments, after installing what a fresh checkout lacks.
// Plain JavaScript that any Node from 20 can start, so that `npm start` and `npm test` need nothing before them.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const isWindows = process.platform === 'win32'
const node = join(root, 'node_modules', '.bin', isWindows ? 'node.cmd' : 'node')

if (!isInstalled()) install()

const args = process.argv.slice(2)
const isTest = args[0] === '--test'
if (isTest && !args.some(arg => arg.endsWith('.ts'))) args.push('test/**/*.test.ts')
// What test files share, such as a database server, belongs to the run. Files often wait, so there is one for each processor, not one less.
if (isTest) {
  const concurrency = args.some(arg => arg.startsWith('--test-concurrency'))
    ? []
    : [`--test-concurrency=${availableParallelism()}`]
  // Nothing in a run waits for ever: a test is given ten minutes, and a file whose tests are over a minute.
  const guards = ['--test-timeout=600000', '--import=./test/watchdog.ts']
  args.splice(1, 0, '--test-global-setup=test/global-setup.ts', ...guards, ...concurrency)
}
// What npm runs has the checkout as its folder; a script named from elsewhere is found all the same.
if (!isTest && args[0]?.endsWith('.ts') && !existsSync(args[0])) args[0] = join(root, args[0])
module.enableCompileCache?.()
const nodeArgs = ['--disable-warning=ExperimentalWarning', ...args]
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'), ...process.env }
if (isTest) process.chdir(root)

const child = spawn(node, nodeArgs, { stdio: 'inherit', shell: isWindows, env })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', error => {
  console.error(`Node 26 could not be started (${error.message}). Try: npm ci`)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})

/** Whether node_modules holds what package-lock.json asks for, by npm's own record of its last install. */
function isInstalled() {
  if (!existsSync(node)) return false
  const wanted = packagesOf('package-lock.json')
  const present = packagesOf(join('node_modules', '.package-lock.json'))
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    // What is for other systems is not there.
    if (path === '' || (optional && !(path in present))) return true
    return present[path]?.version === version
  })
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return {}
  }
}

function install() {
  console.error('Installing what Restante needs (npm ci); this happens once.')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: isWindows,
    env: { ...process.env, NODE_ENV: 'development' },
  })
  if (npm.status !== 0) {
    console.error('npm ci failed; see above. Check the network or registry, then run the command again.')
    process.exit(1)
  }
}
