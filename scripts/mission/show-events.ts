import { performance } from 'node:perf_hooks'
import type { Api } from './api.ts'
import type { Context, SharedOptions } from './context.ts'
import { draftAfter, nextDraft, type Delta } from './draft.ts'
import { followEvents } from './follow-events.ts'
import type { QuestionDesk } from './questions.ts'
import { renderEvent } from './render-event.ts'
import { renderLive, type LiveView } from './render-live.ts'
import type { JournalEvent } from './schemas.ts'
import { createServerClock } from './server-clock.ts'
import { emptyView, nextView } from './view.ts'

interface ShowOptions {
  api: Api
  id: string
  desk: QuestionDesk
  signal: AbortSignal
}

/**
 * Shows a mission's events as they come, until its journal ends or the signal aborts: as JSON lines, as plain lines, or
 * on a terminal as lines with a live view of what runs below them. Throws as `followEvents` does.
 */
export async function showEvents(context: Context, options: SharedOptions, show: ShowOptions): Promise<void> {
  const { terminal } = context
  const { region, colors } = terminal
  const isLive = terminal.live && options.json !== true
  const clock = createServerClock(() => performance.now())
  let view: LiveView = emptyView
  function onConnection(change: { lost: string } | 'back'): void {
    view = { ...view, lost: change === 'back' ? undefined : { why: change.lost, since: clock.now() } }
    if (isLive) region.redraw()
    else terminal.note(change === 'back' ? 'Connected again.' : `${change.lost} Trying again; the mission goes on.`)
  }
  // Only where it can be drawn over: what is printed once is the answer itself.
  const onDelta = isLive ? (delta: Delta) => void (view = { ...view, draft: nextDraft(view.draft, delta) }) : undefined
  const frame = (): string[] => {
    const { columns, rows } = terminal
    return renderLive(view, { now: clock.now(), columns, rows, colors })
  }
  if (isLive) await region.start(frame)
  try {
    const { api, id, signal, desk } = show
    const told = { onConnection, onServerTime: clock.told, onDelta }
    for await (const { raw, event } of followEvents(api, id, { signal, ...told })) {
      clock.told(Date.parse(event.at))
      const before = { ...view, columns: terminal.columns, colors }
      view = { ...nextView(view, event), lost: view.lost, draft: draftAfter(view.draft, event) }
      if (options.json === true) terminal.json(raw)
      else desk.print(renderEvent(event, before))
      passOn(event, desk)
    }
  } finally {
    region.stop()
  }
}

function passOn(event: JournalEvent, desk: QuestionDesk): void {
  if (event.type === 'question.asked') desk.asked(event)
  if (event.type === 'question.answered' || event.type === 'question.expired') desk.closed(event)
}
