import { openQuestionLines } from './open-questions.ts'
import { requestPatiently } from './api.ts'
import { commandFor, exit, interruptedCode, type Context, type SharedOptions } from './context.ts'
import type { Place } from './locate.ts'
import { createQuestionDesk } from './questions.ts'
import { renderEnd } from './render-mission.ts'
import { missionSchema, type Mission, type Question } from './schemas.ts'
import { showEvents } from './show-events.ts'

interface Stopped {
  open?: Question[]
  error?: unknown
}

/** Shows a mission's events until it ends, asks its questions, and answers the command's exit code. */
export async function watch(context: Context, options: SharedOptions, place: Place, id: string): Promise<number> {
  const { terminal, interrupt } = context
  const { api } = place
  const stop = new AbortController()
  const stopped: Stopped = {}
  const halt = (why: Stopped): void => {
    Object.assign(stopped, why)
    stop.abort()
  }
  const desk = createQuestionDesk({
    api,
    missionId: id,
    terminal: options.json === true ? { ...terminal, interactive: false } : terminal,
    onNobody: (open) => halt({ open }),
    onInterrupt: () => interrupt.abort('SIGINT'),
    onFailure: (error) => halt({ error }),
  })
  try {
    const signal = AbortSignal.any([interrupt.signal, stop.signal])
    await showEvents(context, options, { api, id, desk, signal })
  } finally {
    await desk.close()
  }
  if (interrupt.signal.aborted) return leave(context, options, place, id)
  if (stopped.error !== undefined) throw stopped.error

  const mission = await requestPatiently(api, missionSchema, `missions/${id}`)
  if (options.json === true) terminal.json({ event: 'end', mission: mission.raw })
  if (stopped.open !== undefined) return tellOpenQuestions(context, options, place, id, stopped.open)
  if (options.json !== true) terminal.print(renderEnd(mission.value, terminal.colors))
  return codeOf(mission.value)
}

function codeOf(mission: Mission): number {
  if (mission.status === 'completed') return exit.done
  return mission.status === 'cancelled' ? exit.cancelled : exit.failed
}

function leave(context: Context, options: SharedOptions, { own }: Place, id: string): number {
  const follow = commandFor(['follow', id], options)
  context.terminal.note(
    own
      ? `The mission is kept and goes on at the next start. Follow it then with: ${follow}`
      : `The mission goes on. Follow it with: ${follow}`,
  )
  return interruptedCode(context)
}

function tellOpenQuestions(
  context: Context,
  options: SharedOptions,
  { own }: Place,
  id: string,
  open: Question[],
): number {
  const { terminal } = context
  const lines = openQuestionLines(id, open, options)
  if (own) lines.push(`Then let it go on with: ${commandFor(['follow', id], options)}`)
  if (options.json === true) terminal.note(lines.join('\n'))
  else terminal.print(['', ...lines])
  return exit.waiting
}
