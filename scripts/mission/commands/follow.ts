import { requestJson } from '../api.ts'
import type { Context, SharedOptions } from '../context.ts'
import { withApi } from '../locate.ts'
import { renderHead } from '../render-mission.ts'
import { missionSchema } from '../schemas.ts'
import { watch } from '../watch.ts'

/** Shows a mission from its first event on, and stays with it until it ends. */
export function follow(context: Context, id: string, options: SharedOptions): Promise<number> {
  return withApi(context, options, async (place) => {
    const { value } = await requestJson(place.api, missionSchema, `missions/${id}`)
    const { terminal } = context
    if (options.json !== true) terminal.print([...renderHead({ ...value, status: '' }, terminal.colors), ''])
    return watch(context, options, place, id)
  })
}
