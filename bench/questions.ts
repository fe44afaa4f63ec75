// All questions, in the order in which they are asked.
import { accountsQuestion } from './accounts.ts'
import { appendQuestion } from './append.ts'
import { copyQuestion } from './copy.ts'
import { curveQuestion } from './curve.ts'
import { diskQuestion } from './disk.ts'
import { fetchBodyQuestion } from './fetch-body.ts'
import { fetchEnvelopeQuestion } from './fetch-envelope.ts'
import { fetchFlagsQuestion } from './fetch-flags.ts'
import { fillQuestion } from './fill.ts'
import { idleMemoryQuestion } from './idle-memory.ts'
import { lmtpQuestion } from './lmtp.ts'
import { loginQuestion } from './login.ts'
import { manyConnectionsQuestion } from './many-connections.ts'
import { mixedQuestion } from './mixed.ts'
import { notifyNodesQuestion } from './notify-nodes.ts'
import { notifyQuestion } from './notify.ts'
import { pop3Question } from './pop3.ts'
import type { Question } from './question.ts'
import { qresyncQuestion } from './qresync.ts'
import { searchQuestion } from './search.ts'
import { selectQuestion } from './select.ts'
import { sortQuestion } from './sort.ts'
import { storeQuestion, strictStoreQuestion } from './store.ts'

/** What is asked of both servers. */
export const questions: readonly Question[] = [
  loginQuestion,
  appendQuestion,
  lmtpQuestion,
  fillQuestion,
  selectQuestion,
  qresyncQuestion,
  fetchFlagsQuestion,
  fetchEnvelopeQuestion,
  fetchBodyQuestion,
  storeQuestion,
  strictStoreQuestion,
  copyQuestion,
  searchQuestion,
  sortQuestion,
  notifyQuestion,
  pop3Question,
  mixedQuestion,
  manyConnectionsQuestion,
  idleMemoryQuestion,
  accountsQuestion,
  diskQuestion,
  curveQuestion,
]

/** What is asked of nodes over PostgreSQL beside both (issue 5). */
export const nodesQuestions: readonly Question[] = [
  appendQuestion,
  loginQuestion,
  fetchFlagsQuestion,
  storeQuestion,
  notifyNodesQuestion,
]
