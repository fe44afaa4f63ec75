// The command table. RFC 9051 §6.
import type { Command } from './command.ts'
import { append } from './commands/append.ts'
import { authenticate } from './commands/authenticate.ts'
import { cancelUpdate } from './commands/cancelupdate.ts'
import { capability } from './commands/capability.ts'
import { check } from './commands/check.ts'
import { close } from './commands/close.ts'
import { comparator } from './commands/comparator.ts'
import { compress } from './commands/compress.ts'
import { conversions } from './commands/conversions.ts'
import { convert } from './commands/convert.ts'
import { copy } from './commands/copy.ts'
import { create } from './commands/create.ts'
import { deleteAcl } from './commands/deleteacl.ts'
import { deleteMailbox } from './commands/delete.ts'
import { enable } from './commands/enable.ts'
import { esearch } from './commands/esearch.ts'
import { examine, select } from './commands/select.ts'
import { expunge } from './commands/expunge.ts'
import { fetch } from './commands/fetch.ts'
import { genUrlAuth } from './commands/genurlauth.ts'
import { getAcl } from './commands/getacl.ts'
import { getJmapAccess } from './commands/getjmapaccess.ts'
import { getMetadata } from './commands/getmetadata.ts'
import { getQuota } from './commands/getquota.ts'
import { getQuotaRoot } from './commands/getquotaroot.ts'
import { id } from './commands/id.ts'
import { idle } from './commands/idle.ts'
import { language } from './commands/language.ts'
import { list } from './commands/list.ts'
import { listRights } from './commands/listrights.ts'
import { login } from './commands/login.ts'
import { logout } from './commands/logout.ts'
import { lsub } from './commands/lsub.ts'
import { move } from './commands/move.ts'
import { myRights } from './commands/myrights.ts'
import { namespace } from './commands/namespace.ts'
import { noop } from './commands/noop.ts'
import { notify } from './commands/notify.ts'
import { rename } from './commands/rename.ts'
import { replace } from './commands/replace.ts'
import { resetKey } from './commands/resetkey.ts'
import { search } from './commands/search.ts'
import { sort } from './commands/sort.ts'
import { setAcl } from './commands/setacl.ts'
import { setMetadata } from './commands/setmetadata.ts'
import { setQuota } from './commands/setquota.ts'
import { starttls } from './commands/starttls.ts'
import { status } from './commands/status.ts'
import { store } from './commands/store.ts'
import { subscribe } from './commands/subscribe.ts'
import { uidBatches } from './commands/uidbatches.ts'
import { thread } from './commands/thread.ts'
import { uidExpunge } from './commands/uid-expunge.ts'
import { unauthenticate } from './commands/unauthenticate.ts'
import { unselect } from './commands/unselect.ts'
import { unsubscribe } from './commands/unsubscribe.ts'
import { urlFetch } from './commands/urlfetch.ts'
import { xlist } from './commands/xlist.ts'

export const commands: readonly Command[] = [
  append,
  authenticate,
  cancelUpdate,
  capability,
  check,
  close,
  comparator,
  compress,
  conversions,
  convert,
  copy,
  create,
  deleteAcl,
  deleteMailbox,
  enable,
  esearch,
  examine,
  expunge,
  fetch,
  genUrlAuth,
  getAcl,
  getJmapAccess,
  getMetadata,
  getQuota,
  getQuotaRoot,
  id,
  idle,
  language,
  list,
  listRights,
  login,
  logout,
  lsub,
  move,
  myRights,
  namespace,
  noop,
  notify,
  rename,
  replace,
  resetKey,
  search,
  select,
  sort,
  setAcl,
  setMetadata,
  setQuota,
  starttls,
  status,
  store,
  subscribe,
  uidBatches,
  thread,
  uidExpunge,
  unauthenticate,
  unselect,
  unsubscribe,
  urlFetch,
  xlist,
]

const plain = new Map(commands.filter(({ uid }) => uid !== 'only').map(command => [command.name, command]))
const byUid = new Map(commands.filter(({ uid }) => uid !== undefined).map(command => [command.name, command]))

/** The command of that name (upper case). */
export function findCommand(name: string): Command | undefined {
  return plain.get(name)
}

/** The command of that name behind UID. */
export function findUidCommand(name: string): Command | undefined {
  return byUid.get(name)
}
