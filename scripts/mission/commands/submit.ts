import { requestJson } from '../api.ts'
import { commandFor, exit, type Context, type SharedOptions } from '../context.ts'
import { UsageError } from '../errors.ts'
import { requireLastingApi, withApi, type Place } from '../locate.ts'
import { paint } from '../line.ts'
import { readFiles } from '../read-files.ts'
import { missionSchema, type Mission } from '../schemas.ts'
import { watch } from '../watch.ts'

/** Of the API (contracts page, "HTTP"). */
const MOST_BODY_BYTES = 12 * 1024 * 1024

export interface SubmitOptions extends SharedOptions {
  file: string[]
  label: [string, string][]
  limit: [string, number | string][]
  profile?: string
  detach?: boolean
}

/** Submits a mission and follows it to its end, unless it is detached. */
export async function submit(context: Context, goal: string, options: SubmitOptions): Promise<number> {
  const body = await missionBody(goal, options)
  if (options.detach === true) await requireLastingApi(options)
  return withApi(context, options, async (place) => {
    const { raw, value } = await requestJson(place.api, missionSchema, 'missions', { method: 'POST', body })
    if (options.detach === true) return tellDetached(context, options, raw, value)
    return followNew(context, options, place, value)
  })
}

async function missionBody(goal: string, options: SubmitOptions): Promise<string> {
  const files = await readFiles(options.file)
  const body = JSON.stringify({
    goal,
    profile: options.profile,
    files: files.length > 0 ? files : undefined,
    labels: options.label.length > 0 ? Object.fromEntries(options.label) : undefined,
    limits: options.limit.length > 0 ? Object.fromEntries(options.limit) : undefined,
  })
  if (Buffer.byteLength(body) > MOST_BODY_BYTES) {
    throw new UsageError(
      'Goal and files come to more than 12 MiB as they are sent. Give the mission fewer or smaller files.',
    )
  }
  return body
}

function followNew(context: Context, options: SubmitOptions, place: Place, mission: Mission): Promise<number> {
  const { terminal } = context
  if (options.json !== true) terminal.print([paint(`mission ${mission.id}`, 'bold', terminal.colors)])
  return watch(context, options, place, mission.id)
}

function tellDetached({ terminal }: Context, options: SubmitOptions, raw: unknown, { id, status }: Mission): number {
  if (options.json === true) {
    terminal.json(raw)
    return exit.done
  }
  terminal.print([`mission ${id} is ${status}`])
  terminal.note(`Follow it with: ${commandFor(['follow', id], options)}`)
  return exit.done
}
