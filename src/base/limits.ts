// Every limit that is not a user's setting: one name, one default, one place. Units last in names.

export const limits = {
  archive: {
    /** Bytes of one message in an mbox, a Maildir or a file. */
    messageBytes: 256 * 1024 * 1024,
    /** Bytes of an mbox's `From ` line. */
    separatorBytes: 1024,
    /** Keywords of one message that are taken over. */
    keywords: 100,
    /** Levels of folders that are looked into. */
    depth: 32,
    /** Messages, and their bytes, that an import stores in one transaction. */
    groupMessages: 128,
    groupBytes: 8 * 1024 * 1024,
    /** Problems that an import's report lists. */
    problems: 10_000,
    /** Messages that an export looks up at a time. */
    pageMessages: 500,
  },
  http: {
    headerBytes: 16 * 1024,
    headersMs: 10_000,
    requestMs: 30_000,
    keepAliveMs: 15_000,
    connections: 1000,
  },
  control: {
    /** Bytes of one request or answer on the control socket. */
    frameBytes: 64 * 1024 * 1024,
    /** Commands that talk with the server at a time. */
    connections: 64,
    /** Requests of one command that run at a time. */
    requestsAtOnce: 64,
  },
  log: {
    /** How long lines that say nothing bad wait for others. */
    gatherMs: 50,
    gatherCharacters: 64 * 1024,
  },
  account: {
    /** Targets of one alias. */
    aliasTargets: 1000,
    /** Aliases that lead to aliases. */
    aliasDepth: 16,
    /** Addresses that one recipient may turn into. */
    recipients: 1000,
    /** Administrators who get mail for a postmaster that nobody else is. */
    administrators: 16,
    /** Addresses whose mail's way one thread remembers. */
    recipientCache: 20_000,
    /** That is remembered for so long though nothing is said to have changed. */
    recipientCacheMs: 10_000,
    /** Passwords, app passwords and keys of one account. */
    credentials: 200,
    /** UTF-8 bytes of a log-in name that are looked at; a longer one is wrong. */
    loginNameBytes: 512,
    /** UTF-8 bytes of an app password's name or of an account's display name. */
    nameBytes: 255,
    /** Characters of an OAuth token. */
    tokenBytes: 8192,
    /** Fetching an issuer's keys. */
    keysMs: 5000,
    /** Verified log-ins that one thread remembers. */
    verified: 20_000,
    /** Rows that one step of an account's removal deletes. */
    purgeRows: 5000,
  },
  message: {
    /** Depth of nested MIME parts; deeper ones are leaves. */
    depth: 100,
    /** MIME parts in one message; the rest belongs to the last part's body. */
    parts: 10_000,
    /** Parameters of one header field that are looked at. */
    parameters: 100,
    /** Addresses in one header field that are looked at. */
    addresses: 10_000,
    /** Bytes of one header block that are parsed. Bytes past this are kept and served, not parsed. */
    headerBytes: 1024 * 1024,
    /** Bytes of one header field's value that are parsed. */
    fieldBytes: 256 * 1024,
    /** Nesting of comments in a structured field. */
    comments: 32,
    /** Message identifiers of one message's References that are looked at. */
    messageIds: 1000,
  },
  imap: {
    /** Bytes of one command without its literals. */
    lineBytes: 64 * 1024,
    /** The same before log-in, and a response to a SASL challenge: OAuth tokens are the longest there is to say. */
    lineBeforeLoginBytes: 12_288,
    /** Bytes of the messages of one APPEND up to which those that come unasked (RFC 7888) are taken before it is known whether they are wanted. */
    unaskedBytes: 256 * 1024,
    /** Bytes of all the literals of one command other than APPEND's. */
    literalBytes: 1024 * 1024,
    /** Literals of one command that are held in memory. */
    literals: 1000,
    /** Commands of one session that may wait for the store at a time. */
    commandsAtOnce: 64,
    /** Messages of one APPEND (RFC 3502): each holds up to a few hundred kilobytes, or a file, until the last has come. */
    appendMessages: 100,
    /** A refused literal up to this size is read away; with a larger one the connection ends. */
    discardBytes: 256 * 1024 * 1024,
    /** A literal's size past this is not counted: the connection ends. */
    countableBytes: 2 ** 40,
    /** A literal before log-in. */
    literalBeforeLoginBytes: 4096,
    /** Nested parentheses in one command. */
    depth: 50,
    /** Characters of all the patterns with wildcards of one LIST, twice the longest name: each is laid beside every name. */
    listPatternCharacters: 2000,
    /** Mailboxes of one look with changes that NOTIFY tells of; with more it is switched off (RFC 5465 §5.8). */
    notifications: 1000,
    /** Arguments of one COMPARATOR or LANGUAGE. */
    comparators: 100,
    /** URLs of one GENURLAUTH or URLFETCH. */
    urls: 100,
    /** Items of one FETCH. */
    fetchItems: 1000,
    /** Keys of one SEARCH. */
    searchKeys: 5000,
    /** Filters within filters (RFC 5466 §3.1 asks for 3). */
    filterDepth: 8,
    /** Criteria of one SORT. */
    sortCriteria: 32,
    /** Messages that are looked up at a time for a client that fetches one after the other. */
    readAhead: 32,
    /** Clients of each thread for whom that is remembered. */
    fetchStreaks: 32,
    /** Bytes of the orders of mailboxes that each thread keeps for SORT and THREAD, with the UIDs that they belong to. */
    orderCacheBytes: 32 * 1024 * 1024,
    /** Searches that one session has kept up to date (RFC 5267). */
    contexts: 16,
    /** Results of all of them; one alone may have more. */
    contextResults: 200_000,
    /** Messages that are not in the mailbox and that those of one THREAD refer to. */
    threadDummies: 2_000_000,
    /** Bytes of a message that are held at once; more of it is streamed. */
    pieceBytes: 256 * 1024,
    /** Bytes of messages that a FETCH reads before it writes them. */
    readAheadBytes: 1024 * 1024,
    /** Bad commands in a row before the connection is closed. */
    badCommands: 10,
    /** Unread output bytes at which a session stops producing. */
    outputHighWaterBytes: 256 * 1024,
  },
  search: {
    /** A message up to this size is read at once to be indexed. */
    wholeBytes: 256 * 1024,
    /** Bytes of messages that the indexer asks for together. */
    aheadBytes: 256 * 1024,
    /** Bytes of one part, encoded, that the index takes. */
    partBytes: 8 * 1024 * 1024,
    /** Characters of one text of a message that the index takes; a message with a longer one is always looked at. */
    textCharacters: 1024 * 1024,
    /** Characters of words that one text may add to a chunk's dictionary: more is no language. */
    newTermCharacters: 128 * 1024,
    /** Header fields of one message whose values are indexed. */
    fieldsPerMessage: 500,
    /** Characters of one header field's value that are indexed. */
    valueCharacters: 4096,
    /** Characters that the values of one header field may have in each message, on average, to be kept. */
    columnCharacters: 256,
    /** Header fields whose values are kept in one chunk, beside the common ones. */
    columns: 200,
    /** Bytes of the index that each thread keeps in memory. */
    cacheBytes: 64 * 1024 * 1024,
    /** Bytes of what large chunks have answered that each thread keeps, for who asks the same again. */
    answeredBytes: 8 * 1024 * 1024,
    /** Chunks of which each thread remembers that they were the current ones, to let go of what it has of others. */
    currentEditions: 50_000,
    /** Bytes of heads of chunks that each thread keeps in memory. */
    headCacheBytes: 16 * 1024 * 1024,
    /** Heads of one account that are read one by one; more are read all at once. */
    headsOneByOne: 4,
    /** Pages of its file that each thread keeps. */
    pageCacheBytes: 1024 * 1024,
    /** Fewer messages than this are looked at without asking the index. */
    fewMessages: 32,
    /** Answers of the index that one SEARCH holds: messages times keys. */
    answers: 32 * 1024 * 1024,
    /** Fuzzy keys of one SEARCH that count for the relevancy of what is found. */
    scoredKeys: 16,
    /** How long after a change the indexer looks at an account, so that it works for many messages at once. */
    settleMs: 500,
    /** How often it looks for emails that are gone. */
    sweepMs: 3_600_000,
    /** How long it waits after a failure. */
    retryMs: 10_000,
    /** How often a node looks whether the one that fills the index on PostgreSQL is gone. */
    takeOverMs: 30_000,
  },
  pop3: {
    /** RFC 2449 §4 asks for 255. */
    lineBytes: 512,
    authLineBytes: 12_288,
    badCommands: 10,
    /** Messages that are looked up at a time for a client that pipelines. */
    readAhead: 64,
    /** A message up to this size is read whole. */
    wholeBodyBytes: 256 * 1024,
    /** A larger one goes in pieces of this size. */
    pieceBytes: 128 * 1024,
    /** Ranges of UIDs that one mutation of QUIT removes or flags. */
    rangesPerStep: 500,
    /** Lines of LIST or UIDL that are made without letting others run. */
    listingLines: 4096,
  },
  smtp: {
    /** RFC 5321 §4.5.3.1.4 says 512; extensions add up to about this. */
    commandLineBytes: 4096,
    authLineBytes: 12_288,
    /** RFC 5321 §4.5.3.1.6 says 1,000; real mail has more. Longer ones are accepted up to the message's size. */
    recipients: 1000,
    badCommands: 10,
    transactions: 1000,
    /** Bytes of one local part. RFC 5321 §4.5.3.1.1 says 64; bounce addresses in use are longer. */
    localPartBytes: 255,
    /** Bytes of one path with its source route. RFC 5321 §4.5.3.1.3 says 256. */
    pathBytes: 1024,
    /** Failed log-ins on one connection before it is closed. */
    authFailures: 5,
    /** Recipients that do not exist on one connection before it is closed. */
    unknownRecipients: 100,
    /** A message up to this size is finished at once. */
    smallMessageBytes: 1024 * 1024,
    /** Bytes of larger messages that one thread holds at once while they are parsed and delivered; others wait. */
    largeMessagesBytes: 128 * 1024 * 1024,
    /** Bytes of a refused message that are read into nothing before the connection is closed instead. */
    droppedBytes: 1024 * 1024 * 1024,
    /** Servers that are asked for one domain in one attempt. */
    hops: 8,
    /** Messages that are sent on one connection. */
    messagesPerConnection: 100,
    /** Recipients of one outgoing transaction: RFC 5321 §4.5.3.1.8 lets servers take no more. */
    recipientsPerMessage: 100,
    /** Text of a server's reply that is kept and shown. */
    keptReplyBytes: 800,
    /** Lines of one reply that a client reads. */
    replyLines: 100,
    /** Bytes of one reply line that a client reads. RFC 5321 §4.5.3.1.5 says 512. */
    replyLineBytes: 4096,
    /** Received fields at which a message is judged to loop (RFC 5321 §6.3). */
    receivedFields: 100,
  },
  queue: {
    /** Work that nobody says anything of for so long is given to another. */
    leaseMs: 600_000,
    /** The queue is looked at this often even when nothing is said to have happened. */
    pollMs: 60_000,
    /** The queue is not looked at more often than this when nothing is said to have happened. */
    busyMs: 1000,
    /** The length of the queue is counted this often. */
    measureMs: 10_000,
    /** History is pruned this often. */
    pruneMs: 3_600_000,
  },
  convert: {
    /** Messages of one CONVERT (RFC 5259 §8.5). */
    messages: 20,
    /** Parts of each message of one CONVERT. */
    parts: 4,
    /** Bytes of a part, before and after its transfer encoding is undone, that is converted. */
    sourceBytes: 16 * 1024 * 1024,
    /** The same for text, which is converted in this process. */
    textBytes: 8 * 1024 * 1024,
    /** Bytes of one session's converted parts that are kept for the next question about them. */
    cacheBytes: 4 * 1024 * 1024,
    /** Pixels of an image, whatever its bytes. */
    pixels: 50_000_000,
    /** Pixels of a side that may be asked for. */
    sidePixels: 16_384,
    /** UTF-8 bytes of what stands for a character that the target charset lacks. */
    replacementBytes: 16,
    /** Images of one thread that wait for their turn; more are refused for now. */
    waitingImages: 16,
    /** One image. */
    timeoutMs: 15_000,
    /** The start of the process for images. */
    startMs: 20_000,
    /** That process ends when nobody needs it for so long. */
    idleMs: 60_000,
  },
  acl: {
    /** Entries of one mailbox's ACL. */
    entries: 1000,
    /** Entries of others' ACLs that are looked at for what one account sees of others. */
    visible: 20_000,
    /** Characters of an identifier. */
    identifierBytes: 512,
  },
  annotation: {
    /** Bytes of one annotation's value. RFC 5464 §4.1 asks for 1024 at least. */
    valueBytes: 64 * 1024,
    /** Bytes of an entry's name. */
    entryBytes: 512,
    /** Annotations of one mailbox, or of the server for one account. RFC 5464 §4.1 asks for 10 at least. */
    perMailbox: 1000,
    /** Annotations of one message, and as many removed ones that are remembered. RFC 5257 §4.1 asks for 10 at least. */
    perMessage: 100,
    /** Names of removed annotations of one mailbox that are remembered for those who ask what changed. */
    removed: 100,
    /** Names and values of all the annotations of an account, its mailboxes and messages, where it has no limit of its own. */
    accountBytes: 4 * 1024 * 1024,
  },
  mailbox: {
    /** UTF-8 bytes of one mailbox's whole name. */
    nameBytes: 1000,
    /** Levels of hierarchy. */
    depth: 32,
    /** Mailboxes in one account. */
    perAccount: 10_000,
    /** Distinct keywords in one account. */
    keywords: 4096,
    /** Bytes of one keyword. */
    keywordBytes: 255,
    /** Keywords on one message. */
    keywordsPerMessage: 256,
    /** Distinct combinations of keywords in one account; they are numbered in 23 bits of a message's flags. */
    keywordSets: 2 ** 23 - 1,
  },
  store: {
    /** A body up to this size is held in memory while it arrives; a larger one goes to a staging file. */
    inlineBodyBytes: 64 * 1024,
    /** A staged body larger than this becomes a segment of its own. */
    ownSegmentBytes: 4 * 1024 * 1024,
    /** A segment is closed at this size. */
    segmentBytes: 256 * 1024 * 1024,
    /** Zeros that a segment is given behind its end, to be written over: a sync that has a file to lengthen takes twice as long. */
    segmentReserveBytes: 1024 * 1024,
    /** Bytes of bodies in one transaction beyond which the time of its sync is in the writing. */
    reservedBatchBytes: 256 * 1024,
    /** Bytes of bodies in one transaction up to which it holds them itself: more cost more to write twice than a sync. */
    redoBatchBytes: 32 * 1024,
    /** Mutations in one transaction; the rest waits for the next. */
    batchMutations: 512,
    /** Messages whose flags a thread changes itself while the writer has nothing to do. */
    briefMessages: 64,
    /** The writer waits this long for such a change of another thread. */
    briefMs: 5000,
    /** Bytes of bodies in one transaction, unless one alone is larger. */
    batchBytes: 32 * 1024 * 1024,
    /** Mutations that may wait for the writer; more are refused as `unavailable`. */
    waitingMutations: 100_000,
    /** A page of a new database; a row of an email of more than a quarter of one has a page of its own beside the tree. */
    pageBytes: 8192,
    /** The write-ahead log is moved into the database when it passes this. */
    walBytes: 16 * 1024 * 1024,
    /** Keyword sets that each thread remembers. */
    keywordSets: 20_000,
    /** Database pages that the writer keeps in memory. */
    writerCacheBytes: 64 * 1024 * 1024,
    /** Database pages that each reader keeps in memory. */
    readerCacheBytes: 8 * 1024 * 1024,
    /** Prepared statements kept by each connection. */
    statements: 256,
    /** Locations of the last bodies, so that one sent to many accounts is written once. */
    recentBodies: 4096,
    /** Open segment files kept by each thread. */
    openSegments: 64,
    /** How often each thread lets go of those that compaction has removed. */
    openSegmentsMs: 30_000,
    /** Bytes of mailbox snapshots kept by each thread. */
    snapshotBytes: 256 * 1024 * 1024,
    /** A mailbox of more messages is read bit by bit when it is opened, so that nobody waits for it but who asked. */
    readAtOnce: 16_384,
    /** Rows of messages that are one bit of it, also of those that come or go: a few milliseconds' work. */
    rowsAtOnce: 4096,
    /** Of those that go, how many are taken out of the picture before others run again: each may have a chunk of its own. */
    removedAtOnce: 1024,
    /** Packed chunks that are made, or looked at, before others run again. */
    chunksAtOnce: 8,
    /** So long flags are changed in the picture of a large mailbox before others run again. */
    masksMs: 3,
    /** A snapshot that has drifted is packed after this, with what changes meanwhile. */
    packMs: 1000,
    /** Bytes of the columns of emails that each thread keeps for SEARCH, SORT and THREAD. */
    emailColumnBytes: 128 * 1024 * 1024,
    /** Changes that a snapshot remembers besides its arrays, so that `changesAfter` needs no scan. */
    recentChanges: 4096,
    /** Message-Ids by which one message can join a conversation: its own and the last ones it refers to. */
    threadKeys: 32,
    /** Expunges remembered per mailbox. */
    tombstones: 50_000,
    /** Ranges of changed messages remembered per mailbox. */
    changes: 20_000,
    /** An email that lost its last message can be read for this long by sessions that still show it. */
    orphanGraceMs: 5 * 60_000,
    /** How often the writer looks for emails to remove. */
    maintenanceMs: 30_000,
    /** How often the writer looks for segments to compact. */
    compactionMs: 3_600_000,
    /** Emails that one step of the removal takes, so that others' mutations get their turn. */
    orphansPerStep: 200,
    /** Bodies that one step of compaction moves. */
    bodiesPerStep: 500,
    /** A body below this is not worth compressing. */
    compressedBodyBytes: 1024,
    /** The most that is given up by a power cut when durability is `mail`: flag changes of this long. */
    relaxedSyncMs: 1000,
  },
  postgres: {
    /** Until a server has answered a new connection. */
    connectMs: 5_000,
    /** A session that is asked something and silent for so long is looked after: does its server still answer others? */
    silentMs: 5_000,
    /** A connection on which nothing is asked is tried by TCP after this. */
    keepAliveMs: 10_000,
    /** A statement waits this long for another transaction's lock; then its own transaction begins again. */
    lockMs: 20_000,
    /** A statement that runs longer is cancelled. */
    statementMs: 120_000,
    /** A transaction whose client is silent is given up by the server, and its locks with it. */
    idleInTransactionMs: 20_000,
    /** Reading and changing are tried anew this long while the server is away: a failover takes less. */
    retryMs: 30_000,
    /** So long it is asked whether a change was committed whose connection broke meanwhile. */
    unknownMs: 60_000,
    /** Times that a change is tried anew because others were in its way. */
    conflicts: 10,
    /** Mutations of one account in one transaction. */
    batchMutations: 64,
    /** Messages of a mutation that may share a transaction with other accounts'. */
    shortMessages: 4,
    /** Accounts whose mutations share a transaction. */
    groupAccounts: 32,
    /** Such transactions at a time; what comes meanwhile shares the next. */
    groups: 1,
    /** An account whose mutation was refused in such a transaction, and so undid it, has its own for this long. */
    apartMs: 60_000,
    /** Accounts of which that is remembered. */
    apartAccounts: 10_000,
    /** Bytes of hints in one notification; PostgreSQL takes 8,000. */
    notificationBytes: 7_900,
    /** Accounts whose hints wait to be told; beyond that everyone is told to look. */
    waitingHints: 10_000,
    /** Other words that wait to be told; more are lost. Each is short. */
    waitingWords: 1_000,
    /** Time that a connection has to end in order. */
    closeMs: 2_000,
    /** Marks of transactions are kept this long for those who ask whether one was committed. */
    markMs: 3_600_000,
    /** Bytes of one row of a large body. */
    chunkBytes: 256 * 1024,
  },
  node: {
    /** A server says this often that it is there, to those it shares its store with. */
    reportMs: 10_000,
    /** One that has not been heard of for so long is dead. */
    deadMs: 35_000,
    /** And is forgotten after this. */
    forgottenMs: 24 * 3_600_000,
  },
  move: {
    /** Rows that a move of a store reads at a time. */
    rowsPerRead: 500,
    /** Rows, and bodies, of one transaction. */
    rowsPerStep: 500,
    bodiesPerStep: 64,
    bodyBytesPerStep: 8 * 1024 * 1024,
    /** Transactions at once. */
    stepsAtOnce: 4,
    /** Bodies that are read at once to be verified. */
    readsAtOnce: 16,
  },
  s3: {
    /** Connections of one thread to the store of bodies. */
    connections: 64,
    /** One operation with all its tries, besides the time that its bytes take. */
    operationMs: 30_000,
    /** The least that bytes may take. */
    minBytesPerSecond: 256 * 1024,
    /** Nothing moves on a connection for so long. */
    idleMs: 10_000,
    /** Tries of one operation. */
    attempts: 5,
    firstPauseMs: 100,
    longestPauseMs: 5000,
    /** Bytes of an answer that is no object. */
    answerBytes: 64 * 1024,
    /** Objects of one page of a listing, and of one deletion: S3 allows no more. */
    pageObjects: 1000,
    pageBytes: 4 * 1024 * 1024,
    /** A body is fetched and cached in pieces of this size; most are one. */
    pieceBytes: 1024 * 1024,
    /** Bytes of bodies that one thread uploads, and downloads, at once; others wait. */
    uploadsBytes: 64 * 1024 * 1024,
    downloadsBytes: 64 * 1024 * 1024,
    /** Pieces that wait for the cache's disk; more are not kept. */
    keptAtOnce: 64,
    /** A body that is sent again so soon after its upload is not uploaded again. */
    reuseMs: 3_600_000,
    /** How long after its upload a transaction may begin to refer to a body. */
    claimMs: 2 * 3_600_000,
    /** An object younger than this is not swept: many times `claimMs`. */
    graceMs: 24 * 3_600_000,
    /** How often the bucket is swept. */
    sweepMs: 24 * 3_600_000,
    /** How often each node looks whether it is time. */
    sweepCheckMs: 600_000,
  },
  net: {
    /** Unread input at which the socket is paused. */
    inputHighWaterBytes: 64 * 1024,
    /** Unsent output at which a producer waits for the peer. */
    outputHighWaterBytes: 256 * 1024,
    /** Gathered output that is handed to the socket even though more may follow. */
    writeBatchBytes: 64 * 1024,
    /** The rest of a line must follow its first byte within this. */
    partialLineMs: 60_000,
    /** A peer that takes or gives bytes more slowly than this, once past the grace, is cut off. */
    minBytesPerSecond: 64,
    /** Waiting that is forgiven before the least throughput counts. */
    throughputGraceMs: 60_000,
    /** Output above the high-water mark must go out within this, and at the least throughput. */
    drainMs: 120_000,
    /** Until a peer that we dial has answered. */
    connectMs: 30_000,
    /** A TLS handshake. */
    handshakeMs: 30_000,
    /** After our end of the connection was closed: for the peer to take the rest and close his. */
    lingerMs: 10_000,
    /** A PROXY protocol header after the connection. */
    proxyHeaderMs: 5_000,
    /** A PROXY protocol header with its extensions. */
    proxyHeaderBytes: 4096,
    /** A reader that never runs dry lets others run after this. */
    turnMs: 5,
    /** How long all connections together may keep it before timers and new input are looked after. */
    loopTurnMs: 5,
    /** Lines that `skipLine` throws away: a longer one ends the connection. */
    skipLineBytes: 16 * 1024 * 1024,
    /** Waiting for the kernel's queue of connections. */
    backlog: 1024,
    /** Open connections of one listener. */
    connections: 50_000,
    /** Open connections of one IPv4 address or IPv6 /64, loopback exempt. */
    connectionsPerNetwork: 256,
  },
  dns: {
    /** One question with all its tries. */
    timeoutMs: 10_000,
    /** How long records are kept whose TTL is not known, and that there are none. */
    defaultTtlMs: 60_000,
    maxTtlMs: 3_600_000,
    cachedAnswers: 10_000,
  },
  password: {
    bytes: 1024,
    /** argon2id as OWASP advises: 19 MiB, two passes, one lane. */
    argon2MemoryKib: 19_456,
    argon2Passes: 2,
    argon2Parallelism: 1,
    saltBytes: 16,
    tagBytes: 32,
    /** Bounds on what a stored hash may ask for. */
    argon2MaxMemoryKib: 1024 * 1024,
    argon2MaxPasses: 64,
    cryptMaxRounds: 1_000_000,
    /** Hashes computed at once in one thread: each takes its memory and a libuv thread. */
    hashesAtOnce: 2,
    /** Hashes that wait for their turn; more are refused as temporary. */
    hashesWaiting: 256,
    /** RFC 7677 §4 wants at least 4096. */
    scramIterations: 10_000,
    scramMaxIterations: 10_000_000,
  },
  sasl: {
    /** A client's response, decoded. RFC 4616 and RFC 7628 messages with a large token fit. */
    responseBytes: 9216,
    /** UTF-8 bytes of a user name. */
    nameBytes: 1024,
    /** RFC 4505 §2. */
    traceCharacters: 255,
    /** Challenges in one exchange. */
    challenges: 8,
  },
} as const
