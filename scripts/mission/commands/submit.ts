import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { MOST_FILES, tooMany } from '../find-files.ts'
import { startMission, type NewMissionOptions } from '../new-mission.ts'
import { readPipedInput } from '../piped-input.ts'
import { readFiles, type FileInput } from '../read-files.ts'

/** Of the API (contracts page, "HTTP"). */
const MOST_BODY_BYTES = 12 * 1024 * 1024

/** As a file's name: `--file -`. A file that is called so is `--file ./-`. */
const STANDARD_INPUT = '-'

export interface SubmitOptions extends NewMissionOptions {
  file: string[]
  label: [string, string][]
  limit: [string, number | string][]
  profile?: string
}

/** Submits a mission and follows it to its end, unless it is detached. */
export async function submit(context: Context, goal: string, options: SubmitOptions): Promise<number> {
  return startMission(context, options, 'missions', await missionBody(context, goal, options))
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
