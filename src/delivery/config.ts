// Options of final delivery. The documentation of the configuration is made of these.
import { z } from 'zod'

export const deliveryConfigSchema = z
  .strictObject({
    plusAddress: z
      .enum(['inbox', 'existing-folder', 'folder'])
      .default('inbox')
      .describe(
        'Where mail for ann+lists@… goes: to INBOX, to the folder `lists` if there is one, or to the folder `lists`, made when it is missing (whoever writes to you can make folders then).',
      ),
  })
  .describe('Final delivery to mailboxes.')

export type DeliveryConfig = z.output<typeof deliveryConfigSchema>
