import { requestJson } from '../api.ts'
import { exit, type Context, type SharedOptions } from '../context.ts'
import { withApi } from '../locate.ts'
import { missionSchema } from '../schemas.ts'

/** Cancels a mission. */
export function cancel(context: Context, id: string, options: SharedOptions): Promise<number> {
  return withApi(context, options, async ({ api }) => {
    const { raw, value } = await requestJson(api, missionSchema, `missions/${id}/cancel`, {
      method: 'POST',
      body: '{}',
    })
    if (options.json === true) context.terminal.json(raw)
    else
      context.terminal.print([
        `mission ${value.id} is ${value.status === 'cancelled' ? 'cancelled' : 'being cancelled'}`,
      ])
    return exit.done
  })
}
