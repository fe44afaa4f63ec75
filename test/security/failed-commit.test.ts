// A commit whose sync fails, then a crash: nothing that was acknowledged is lost, and what was refused does not come back without its body.
// The sync is made to fail below SQLite, by a library that is loaded before the system's.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkStore } from '../../src/store/check.ts'
import { openStore } from '../../src/store/open-store.ts'
import { temporaryFolder } from '../store/fixture.ts'

/** Fails each sync of a file whose name ends in -wal while the file FAIL exists. */
const library = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int fails(int fd) {
  char link[64], path[4096];
  const char *file = getenv("FAIL");
  if (!file || access(file, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 4) return 0;
  return memcmp(path + length - 4, "-wal", 4) == 0;
}
static int sync_with(const char *name, int fd) {
  if (fails(fd)) { errno = EIO; return -1; }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  return real(fd);
}
int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }
`

const child = new URL('./failed-commit-child.ts', import.meta.url).pathname

const histories: readonly (readonly [steps: string, said: string, kept: readonly number[]])[] = [
  ['one fail two', 'taken unavailable', [1, 2]],
  ['one fail large', 'taken unavailable', [1, 2]],
  ['one fail two large mend three', 'taken unavailable unavailable taken', [1, 2]],
  ['one flag fail flag two mend three large four', 'taken unavailable taken taken taken', [1, 2, 3, 4]],
]

for (const [steps, said, kept] of histories) {
  test(`after "${steps}" and a crash every message has its body, and none that was taken is missing`, async t => {
    const folder = temporaryFolder(t)
    try {
      writeFileSync(join(folder, 'fail.c'), library)
      execFileSync(
        'cc',
        ['-shared', '-fPIC', '-o', join(folder, 'fail.so'), join(folder, 'fail.c'), '-ldl'],
        {
          stdio: 'ignore',
        },
      )
    } catch {
      return t.skip('no C compiler for Linux here')
    }
    const dataDir = join(folder, 'store')
    const failFile = join(folder, 'fail')
    const { stdout, signal } = spawnSync(process.execPath, [child, dataDir, failFile, ...steps.split(' ')], {
      encoding: 'utf8',
      env: { ...process.env, LD_PRELOAD: join(folder, 'fail.so'), FAIL: failFile },
    })
    assert.equal(signal, 'SIGKILL')
    assert.equal(stdout.trim().replaceAll('\n', ' '), said)
    const store = await openStore({ dataDir })
    const rows = await store.reader.all<{ uid: number }>('SELECT uid FROM message ORDER BY uid')
    const taken = said.split(' ').filter(word => word === 'taken').length
    assert.ok(rows.length >= taken)
    assert.deepEqual(
      rows.map(({ uid }) => uid),
      kept,
    )
    await store.close()
    assert.deepEqual(
      (await checkStore(dataDir)).findings.filter(({ severity }) => severity === 'damage'),
      [],
    )
  })
}
