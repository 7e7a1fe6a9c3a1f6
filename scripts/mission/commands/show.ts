import { requestJson, type Answer, type Api } from '../api.ts'
import { exit, type Context, type SharedOptions } from '../context.ts'
import { paint } from '../line.ts'
import { withApi } from '../locate.ts'
import { openQuestionLines } from '../open-questions.ts'
import { renderEvent } from '../render-event.ts'
import { offset, renderEnd, renderHead } from '../render-mission.ts'
import { eventPageSchema, missionSchema, type EventPage, type JournalEvent } from '../schemas.ts'
import type { Terminal } from '../terminal.ts'
import { fit } from '../text.ts'
import { emptyView, nextView } from '../view.ts'

/** Wide enough for `+12 min 34 s`. */
const MARGIN_COLUMNS = 13
const PAGE = 1000

/** Prints a mission and its journal as a timeline. With `--json`: the mission as the API gives it, and its `events`. */
export function show(context: Context, id: string, options: SharedOptions): Promise<number> {
  const { terminal } = context
  return withApi(context, options, async ({ api }) => {
    const mission = await requestJson(api, missionSchema, `missions/${id}`)
    const { raw, events } = await readJournal(api, id)
    if (options.json === true) {
      terminal.json({ ...(mission.raw as object), events: raw })
      return exit.done
    }
    terminal.print([...renderHead(mission.value, terminal.colors), ''])
    printTimeline(terminal, events)
    terminal.print(openQuestionLines(id, mission.value.questions ?? [], options))
    if (mission.value.endedAt !== undefined) terminal.print(renderEnd(mission.value, terminal.colors))
    return exit.done
  })
}

interface Journal {
  raw: unknown[]
  events: JournalEvent[]
}

async function readJournal(api: Api, id: string): Promise<Journal> {
  const raw: unknown[] = []
  const events: JournalEvent[] = []
  let after: number | null = 0
  while (after !== null) {
    const page: Answer<EventPage> = await requestJson(
      api,
      eventPageSchema,
      `missions/${id}/events?after=${after}&limit=${PAGE}`,
    )
    raw.push(...(page.raw as { items: unknown[] }).items)
    events.push(...page.value.items)
    // `nextAfter` may say where to look for news; an empty page is the end in any case.
    after = page.value.items.length === 0 ? null : page.value.nextAfter
  }
  return { raw, events }
}

function printTimeline(terminal: Terminal, events: JournalEvent[]): void {
  const { columns, colors } = terminal
  let view = emptyView
  for (const event of events) {
    const lines = renderEvent(event, { ...view, columns: columns - MARGIN_COLUMNS, colors })
    const margin = fit(offset(event, events[0] ?? event), MARGIN_COLUMNS)
    terminal.print(
      lines.map((line, index) => (index === 0 ? paint(margin, 'dim', colors) : ' '.repeat(MARGIN_COLUMNS)) + line),
    )
    view = nextView(view, event)
  }
}
