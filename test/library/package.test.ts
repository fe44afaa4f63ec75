import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

/** The environment without what npm told the run that this test is part of. */
function cleanEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_OPTIONS|INIT_CWD)/i.test(name)),
  )
}

test('the package that npm packs can be installed and used', { timeout: 180_000 }, async context => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-package-'))
  const env = cleanEnv()
  const built = join(root, 'dist')
  if (!existsSync(built)) context.after(() => rmSync(built, { recursive: true, force: true }))
  const packed = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], {
    cwd: root,
    env,
  })
  const [{ filename, files }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('['))) as [
    { filename: string; files: { path: string }[] },
  ]
  const paths = files.map(({ path }) => path)
  for (const path of [
    'dist/index.js',
    'dist/index.d.ts',
    'dist/main.js',
    'dist/server/protocol-thread.js',
    'bin/restante.mjs',
    'docs/library.md',
    'LICENSE',
  ]) {
    assert.ok(paths.includes(path), path)
  }
  assert.ok(!paths.some(path => path.startsWith('src/') || path.startsWith('test/')))
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}')
  try {
    await run(
      'npm',
      [
        'install',
        '--offline',
        '--no-audit',
        '--no-fund',
        '--omit=optional',
        '--ignore-scripts',
        '--loglevel=error',
        join(folder, filename),
      ],
      { cwd: folder, env },
    )
  } catch (error) {
    context.skip(
      `npm's cache does not hold the dependencies: ${String((error as { stderr?: string }).stderr).split('\n')[0]}`,
    )
    return
  }
  const program = `
    import { createMailServer } from 'restante'
    await using server = await createMailServer()
    await server.accounts.create('ann@example.org', 'secret')
    await server.import('ann@example.org', Buffer.from('Subject: packed\\r\\n\\r\\nx\\r\\n'))
    console.log((await server.waitForMessage('ann@example.org')).subject)
  `
  writeFileSync(join(folder, 'program.mjs'), program)
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', 'program.mjs'], {
    cwd: folder,
    env,
  })
  assert.equal(stdout.trim(), 'packed')
  const version = await run(process.execPath, [join(folder, 'node_modules', '.bin', 'restante'), 'version'], {
    cwd: folder,
    env,
  })
  assert.match(version.stdout, /^restante \d/)
})

test('an old Node is told what to do', async () => {
  const program = `
    Object.defineProperty(process.versions, 'node', { value: '20.1.0' })
    await import(${JSON.stringify(join(root, 'bin', 'restante.mjs'))})
  `
  await assert.rejects(
    run(process.execPath, ['--input-type=module', '--eval', program]),
    (error: { code?: number; stderr?: string }) => {
      assert.equal(error.code, 1)
      assert.match(error.stderr ?? '', /Restante needs Node 26 or newer; this is Node 20\.1\.0/)
      return true
    },
  )
})
