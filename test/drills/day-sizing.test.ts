// The arithmetic of sizing, reckoned by hand for round figures.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DayOfAccount, sizeOf, sizingTable, type Standing } from './day-sizing.ts'

/** 28,800 accounts do at the peak in each second what one does in a day: 86,400 seconds by 3. */
const accounts = 28_800
const day: DayOfAccount = {
  nodesUs: 500_000,
  hashUs: 250_000,
  postgresUs: 100_000,
  walBytes: 1_000_000,
  walBytesOfRows: 100_000,
  writtenPages: 30,
  walSyncs: 20,
  transactions: 60,
  arrivals: 10,
  logins: 12,
  submissions: 1,
  stored: 12,
  opened: 20,
}
const standing: Standing = {
  meanMessageBytes: 50_000,
  rowBytes: 4000,
  accountBytes: 2000,
  connectionBytes: 100_000,
}

test('a site needs at its peak three times the mean of the day, and twice the cores that are busy then', () => {
  const size = sizeOf(accounts, day, standing)
  assert.equal(size.arrivals, 10)
  assert.equal(size.nodeCores, 1)
  assert.equal(size.hashCores, 0.5)
  assert.equal(size.postgresCores, 0.2)
  assert.equal(size.walBytes, 100_000)
  assert.equal(size.rowsBytes, accounts * 12_002_000)
  assert.equal(size.bodiesBytes, accounts * 150_000_000)
  assert.equal(size.connectionsBytes, 1_440_000_000)
  assert.equal(size.primaries, 1)
})

test('what a site costs is the sum of cores, disks, objects and requests', () => {
  const size = sizeOf(accounts, day, standing)
  const cores = (1 + 0.2 * 2) * 30
  const disks = 345.6576 * 2 * 0.1
  const objects = 4320 * 0.02
  const requests = 10.368 * 5 + 17.28 * 0.4
  assert.ok(Math.abs(size.dollars - (cores + disks + objects + requests)) < 1e-6)
})

test('a primary more comes with the first of its limits that is met', () => {
  // 4 TB of rows are 333,278 accounts; their cores and their log would do with one.
  assert.equal(sizeOf(333_000, day, standing).primaries, 1)
  assert.equal(sizeOf(334_000, day, standing).primaries, 2)
  assert.equal(sizeOf(accounts, { ...day, postgresUs: 16e6 }, standing).primaries, 2)
  assert.equal(sizeOf(accounts, { ...day, walBytesOfRows: 250e6 }, standing).primaries, 3)
})

test('the table has a column for each size', () => {
  const lines = sizingTable([accounts, accounts * 100], day, standing).split('\n')
  assert.equal(lines[0], '| accounts | 28,800 | 2,880,000 |')
  assert.ok(lines.includes('| cores of nodes (of them for password hashes) | 1 (0.5) | 100 (50) |'))
  assert.ok(lines.includes('| bodies | 4.3 TB | 430 TB |'))
})
