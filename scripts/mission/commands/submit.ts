import { randomUUID } from 'node:crypto'
import { requestPatiently, type Answer } from '../api.ts'
import { commandFor, exit, type Context, type SharedOptions } from '../context.ts'
import { ProblemError, UnreachableError, UsageError } from '../errors.ts'
import { MOST_FILES, tooMany } from '../find-files.ts'
import { requireLastingApi, withApi, type Place } from '../locate.ts'
import { paint } from '../line.ts'
import { readPipedInput } from '../piped-input.ts'
import { readFiles, type FileInput } from '../read-files.ts'
import { renderProblem } from '../render-mission.ts'
import { missionSchema, type Mission } from '../schemas.ts'
import { watch } from '../watch.ts'

/** Of the API (contracts page, "HTTP"). */
const MOST_BODY_BYTES = 12 * 1024 * 1024

/** As a file's name: `--file -`. A file that is called so is `--file ./-`. */
const STANDARD_INPUT = '-'

export interface SubmitOptions extends SharedOptions {
  file: string[]
  label: [string, string][]
  limit: [string, number | string][]
  profile?: string
  detach?: boolean
}

/** Submits a mission and follows it to its end, unless it is detached. */
export async function submit(context: Context, goal: string, options: SubmitOptions): Promise<number> {
  const body = await missionBody(context, goal, options)
  if (options.detach === true) await requireLastingApi(options)
  return withApi(context, options, async (place) => {
    const { raw, value } = await postOnce(context, place, body)
    if (options.detach === true) return tellDetached(context, options, raw, value)
    return followNew(context, options, place, value)
  })
}

/** Where the connection breaks before an answer, the same key makes the repeats one mission (fault F52). */
function postOnce({ terminal }: Context, { api }: Place, body: string): Promise<Answer<Mission>> {
  let troubles = 0
  return requestPatiently(api, missionSchema, 'missions', {
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

async function missionBody(context: Context, goal: string, options: SubmitOptions): Promise<string> {
  const files = await allFiles(context, options.file)
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

async function allFiles(context: Context, patterns: readonly string[]): Promise<FileInput[]> {
  const files = await readFiles(patterns.filter((pattern) => pattern !== STANDARD_INPUT))
  const piped = await readPipedInput(context, patterns.includes(STANDARD_INPUT))
  if (piped === undefined) return files
  if (files.some(({ name }) => name === piped.name)) {
    throw new UsageError(`Standard input would be called ${piped.name} as another file is; rename that one.`)
  }
  if (files.length === MOST_FILES) throw tooMany(files.length + 1)
  return [...files, piped]
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
