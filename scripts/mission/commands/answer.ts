import { requestJson } from '../api.ts'
import { commandFor, exit, type Context, type SharedOptions } from '../context.ts'
import { UsageError } from '../errors.ts'
import { withApi } from '../locate.ts'
import { missionSchema } from '../schemas.ts'

/** Answers a question with JSON text. */
export function answer(
  context: Context,
  id: string,
  questionId: string,
  json: string,
  options: SharedOptions,
): Promise<number> {
  const { terminal } = context
  const body = JSON.stringify({ questionId, answer: parseAnswer(json) })
  return withApi(context, options, async ({ api }) => {
    const { raw, value } = await requestJson(api, missionSchema, `missions/${id}/answers`, { method: 'POST', body })
    if (options.json === true) {
      terminal.json(raw)
      return exit.done
    }
    terminal.print([`answered; mission ${value.id} is ${value.status}`])
    terminal.note(`Follow it with: ${commandFor(['follow', id], options)}`)
    return exit.done
  })
}

function parseAnswer(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new UsageError(
      `The answer must be JSON, and ${json} is not. A text needs its own quotes: '${JSON.stringify(json)}'.`,
    )
  }
}
