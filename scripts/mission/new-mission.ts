import { randomUUID } from 'node:crypto'
import { requestPatiently, type Answer } from './api.ts'
import { commandFor, exit, type Context, type SharedOptions } from './context.ts'
import { ProblemError, UnreachableError } from './errors.ts'
import { paint } from './line.ts'
import { requireLastingApi, withApi, type Place } from './locate.ts'
import { renderProblem } from './render-mission.ts'
import { missionSchema, type Mission } from './schemas.ts'
import { watch } from './watch.ts'

export interface NewMissionOptions extends SharedOptions {
  detach?: boolean
}

/**
 * Makes a mission and follows it to its end, unless it is detached; answers the command's exit code.
 * @param path of the request, below `/api/v1/`
 * @param body JSON
 */
export async function startMission(
  context: Context,
  options: NewMissionOptions,
  path: string,
  body: string,
): Promise<number> {
  if (options.detach === true) await requireLastingApi(options)
  return withApi(context, options, async (place) => {
    const { raw, value } = await postOnce(context, place, path, body)
    if (options.detach === true) return tellDetached(context, options, raw, value)
    return followNew(context, options, place, value)
  })
}

/** Where the connection breaks before an answer, the same key makes the repeats one mission (fault F52). */
function postOnce({ terminal }: Context, { api }: Place, path: string, body: string): Promise<Answer<Mission>> {
  let troubles = 0
  return requestPatiently(api, missionSchema, path, {
    method: 'POST',
    body,
    headers: { 'idempotency-key': randomUUID() },
    onTrouble(error) {
      troubles += 1
      if (troubles > 1) return
      // Nothing ever listened there: that is a wrong address more often than a restart.
      if (error instanceof UnreachableError && error.refused) throw error
      const why = error instanceof ProblemError ? renderProblem(error.problem).join(' ') : error.message
      terminal.note(`${why} Trying again for a minute; it will be one mission.`)
    },
  })
}

function followNew(context: Context, options: SharedOptions, place: Place, mission: Mission): Promise<number> {
  const { terminal } = context
  if (options.json !== true) terminal.print([paint(`mission ${mission.id}`, 'bold', terminal.colors)])
  return watch(context, options, place, mission.id)
}

function tellDetached({ terminal }: Context, options: SharedOptions, raw: unknown, { id, status }: Mission): number {
  if (options.json === true) {
    terminal.json(raw)
    return exit.done
  }
  terminal.print([`mission ${id} is ${status}`])
  terminal.note(`Follow it with: ${commandFor(['follow', id], options)}`)
  return exit.done
}
