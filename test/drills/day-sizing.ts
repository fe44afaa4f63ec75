// What a site of any size needs, from what a day of one account costs: arithmetic, and the assumptions that it rests on.

/** What one account of the mean does and costs in a day, as `a-day` measures it. */
export interface DayOfAccount {
  readonly nodesUs: number
  /** Of those, for hashing passwords. */
  readonly hashUs: number
  readonly postgresUs: number
  /** With the bodies in the database, and without. */
  readonly walBytes: number
  readonly walBytesOfRows: number
  /** With the bodies in the database. */
  readonly writtenPages: number
  readonly walSyncs: number
  /** Of PostgreSQL, those that only read among them. */
  readonly transactions: number
  readonly arrivals: number
  readonly logins: number
  readonly submissions: number
  /** Messages that are stored, wherever they come from. */
  readonly stored: number
  /** Bodies that somebody reads. */
  readonly opened: number
}

/** What is there all the time. */
export interface Standing {
  readonly meanMessageBytes: number
  /** Of one message in the database beside its body, and of one account. */
  readonly rowBytes: number
  readonly accountBytes: number
  readonly connectionBytes: number
}

export const assumed = {
  /** The busiest minutes by the mean of the day. */
  peak: 3,
  /** Of its cores a machine uses so much at the peak; the rest is for a neighbour that is gone. */
  busy: 0.5,
  /** Messages that an account keeps. */
  kept: 3000,
  /** Sessions at the peak for each account. */
  connected: 0.5,
  /** What one primary of PostgreSQL is given to do. */
  primaryCores: 16,
  primaryWalBytes: 100e6,
  primaryBytes: 4e12,
  /** Dollars a month: a core with 4 GB of memory, GB of disk, GB in S3; a million requests. */
  core: 30,
  diskGb: 0.1,
  objectGb: 0.02,
  putMillion: 5,
  getMillion: 0.4,
} as const

const secondsPerDay = 86_400
const daysPerMonth = 30
/** Primary and standby. */
const copies = 2

/** The needs of a site of so many accounts; its bodies are in S3 where nothing else is said. Rates are those of the peak. */
export function sizeOf(accounts: number, day: DayOfAccount, standing: Standing) {
  const atPeak = (ofAccount: number) => (accounts * ofAccount * assumed.peak) / secondsPerDay
  const cores = (us: number) => atPeak(us) / 1e6 / assumed.busy
  const rowsBytes = accounts * (standing.accountBytes + assumed.kept * standing.rowBytes)
  const bodiesBytes = accounts * assumed.kept * standing.meanMessageBytes
  const postgresCores = cores(day.postgresUs)
  const walBytes = atPeak(day.walBytesOfRows)
  const primaries = Math.ceil(
    Math.max(
      postgresCores / assumed.primaryCores,
      walBytes / assumed.primaryWalBytes,
      rowsBytes / assumed.primaryBytes,
    ),
  )
  const nodeCores = cores(day.nodesUs)
  const requests = (ofAccount: number, perMillion: number) =>
    ((accounts * ofAccount * daysPerMonth) / 1e6) * perMillion
  const dollars =
    (nodeCores + postgresCores * copies) * assumed.core +
    (rowsBytes / 1e9) * copies * assumed.diskGb +
    (bodiesBytes / 1e9) * assumed.objectGb +
    requests(day.stored, assumed.putMillion) +
    requests(day.opened, assumed.getMillion)
  return {
    arrivals: atPeak(day.arrivals),
    logins: atPeak(day.logins),
    submissions: atPeak(day.submissions),
    nodeCores,
    hashCores: cores(day.hashUs),
    postgresCores,
    primaries,
    transactions: atPeak(day.transactions),
    walSyncs: atPeak(day.walSyncs),
    writtenPages: atPeak(day.writtenPages),
    walBytes,
    walBytesWithBodies: atPeak(day.walBytes),
    rowsBytes,
    bodiesBytes,
    puts: atPeak(day.stored),
    gets: atPeak(day.opened),
    connections: accounts * assumed.connected,
    connectionsBytes: accounts * assumed.connected * standing.connectionBytes,
    dollars,
    dollarsOfAccount: dollars / accounts,
  }
}

/** A table in Markdown with a column for each number of accounts. */
export function sizingTable(sizes: readonly number[], day: DayOfAccount, standing: Standing): string {
  const all = sizes.map(accounts => sizeOf(accounts, day, standing))
  type Size = (typeof all)[number]
  const row = (title: string, text: (size: Size) => string) => `| ${title} | ${all.map(text).join(' | ')} |`
  return [
    `| accounts | ${sizes.map(accounts => accounts.toLocaleString('en')).join(' | ')} |`,
    `| --- | ${sizes.map(() => '---').join(' | ')} |`,
    row('messages that arrive, a second', size => short(size.arrivals)),
    row('log-ins, a second', size => short(size.logins)),
    row(
      'cores of nodes (of them for password hashes)',
      size => `${short(size.nodeCores)} (${short(size.hashCores)})`,
    ),
    row('cores of PostgreSQL, primaries only', size => short(size.postgresCores)),
    row('primaries (shards)', size => short(size.primaries)),
    row('transactions, a second', size => short(size.transactions)),
    row(
      'log syncs, a second (pages written, with bodies in tables)',
      size => `${short(size.walSyncs)} (${short(size.writtenPages)})`,
    ),
    row(
      'WAL, a second (with bodies in tables)',
      size => `${bytes(size.walBytes)} (${bytes(size.walBytesWithBodies)})`,
    ),
    row('database without bodies', size => bytes(size.rowsBytes)),
    row('bodies', size => bytes(size.bodiesBytes)),
    row('S3: PUT / GET, a second', size => `${short(size.puts)} / ${short(size.gets)}`),
    row('connections (their memory)', size => `${short(size.connections)} (${bytes(size.connectionsBytes)})`),
    row('into the queue, a second', size => short(size.submissions)),
    row(
      'dollars a month (of an account)',
      size => `${short(size.dollars)} (${size.dollarsOfAccount.toFixed(3)})`,
    ),
  ].join('\n')
}

/** Two digits that mean something. */
function short(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 2 })
}

function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  const at = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(value) / 3)))
  return `${short(value / 1000 ** at)} ${units[at]}`
}
