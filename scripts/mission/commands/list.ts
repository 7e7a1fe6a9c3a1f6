import { requestJson } from '../api.ts'
import { commandFor, exit, type Context, type SharedOptions } from '../context.ts'
import { withApi } from '../locate.ts'
import { renderList } from '../render-mission.ts'
import { missionPageSchema } from '../schemas.ts'

export interface ListOptions extends SharedOptions {
  limit: number
  status?: string
  cursor?: string
}

/** Lists missions, the newest first, one page at a time. */
export function list(context: Context, options: ListOptions): Promise<number> {
  const { terminal } = context
  const query = new URLSearchParams({ limit: String(options.limit) })
  if (options.status !== undefined) query.set('status', options.status)
  if (options.cursor !== undefined) query.set('cursor', options.cursor)
  return withApi(context, options, async ({ api }) => {
    const { raw, value } = await requestJson(api, missionPageSchema, `missions?${query.toString()}`)
    if (options.json === true) {
      terminal.json(raw)
      return exit.done
    }
    terminal.print(renderList(value.items, Date.now(), terminal.columns, terminal.colors))
    if (value.nextCursor !== null)
      terminal.note(`There are more: ${commandFor(moreWords(options, value.nextCursor), options)}`)
    return exit.done
  })
}

function moreWords({ limit, status }: ListOptions, cursor: string): string[] {
  const wanted = status === undefined ? [] : ['--status', status]
  return ['list', '--limit', String(limit), ...wanted, '--cursor', cursor]
}
