// The store's options. The documentation is made from these descriptions.
import { z } from 'zod'

export const storeConfigSchema = z
  .strictObject({
    durability: z
      .enum(['mail', 'strict'])
      .default('mail')
      .describe(
        'What is on disk before it is acknowledged: `mail` says all mail, copies, moves and expunges (a power cut, not a crash, may undo flag changes of the last second), `strict` says flag changes as well.',
      ),
  })
  .prefault({})
  .describe('The store.')
