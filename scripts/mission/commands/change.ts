import { requestJson } from '../api.ts'
import { commandFor, exit, type Context, type SharedOptions } from '../context.ts'
import { withApi } from '../locate.ts'
import { missionSchema } from '../schemas.ts'

/** Pauses a mission or lets it go on. */
export function change(context: Context, how: 'pause' | 'resume', id: string, options: SharedOptions): Promise<number> {
  return post(context, `missions/${id}/${how}`, '{}', options, (status) => `is ${status}`)
}

/** Tells a mission something more. */
export function message(context: Context, id: string, content: string, options: SharedOptions): Promise<number> {
  const body = JSON.stringify({ content })
  return post(context, `missions/${id}/messages`, body, options, (status) => `was told; it is ${status}`)
}

function post(
  context: Context,
  path: string,
  body: string,
  options: SharedOptions,
  say: (status: string) => string,
): Promise<number> {
  const { terminal } = context
  return withApi(context, options, async ({ api }) => {
    const { raw, value } = await requestJson(api, missionSchema, path, { method: 'POST', body })
    if (options.json === true) {
      terminal.json(raw)
      return exit.done
    }
    terminal.print([`mission ${value.id} ${say(value.status)}`])
    if (value.status !== 'paused') terminal.note(`Follow it with: ${commandFor(['follow', value.id], options)}`)
    else terminal.note(`Let it go on with: ${commandFor(['resume', value.id], options)}`)
    return exit.done
  })
}
