// Where the shared standards and corpus are on this machine; a user's clone has none.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const candidates = [process.env['RESTANTE_SHARED'], join(import.meta.dirname, '..', '..', 'shared')]

/** The folder that holds `corpus/` and `rfc/`, or undefined where it is not here. */
export const sharedFolder = candidates.find(
  folder => folder !== undefined && existsSync(join(folder, 'corpus')),
)
