import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { Api } from './api.ts'
import type { Context, SharedOptions } from './context.ts'
import { CommandError, UsageError } from './errors.ts'

const runFileSchema = z.looseObject({ url: z.url({ protocol: /^https?$/ }), pid: z.int().positive() })

/** An API to talk to, and whether this command started it and will stop it. */
export interface Place {
  api: Api
  own: boolean
}

/**
 * Runs `use` with the API: at `--url`, else the running local environment that `DATA/run.json` names, else one that is
 * started here and stopped again at the end.
 */
export async function withApi<T>(
  context: Context,
  options: SharedOptions,
  use: (place: Place) => Promise<T>,
): Promise<T> {
  const key = options.key ?? (context.env.TASKFORCE_API_KEY || undefined)
  const interrupted = context.interrupt.signal
  const url = options.url === undefined ? await runningUrl(options.data) : checkedUrl(options.url)
  if (url !== undefined) return use({ api: { url, key, interrupted }, own: false })

  const environment = await context.startEnvironment({
    dataDir: resolve(options.data),
    port: 0,
    log: (line) => context.terminal.note(line),
  })
  try {
    return await use({ api: { url: environment.url, key, interrupted }, own: true })
  } finally {
    await environment.stop()
  }
}

/** Refuses where the command makes sense only with an API that outlives it. */
export async function requireLastingApi(options: SharedOptions): Promise<void> {
  if (options.url !== undefined || (await runningUrl(options.data)) !== undefined) return
  throw new UsageError(
    'With --detach nobody would work on the mission, since no environment is running. Start one with npm start, or name one with --url.',
  )
}

/** The URL of the local environment of a data folder, if the process that wrote `run.json` still lives. */
async function runningUrl(dataDir: string): Promise<string | undefined> {
  const file = join(dataDir, 'run.json')
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw new CommandError(
      `${file} can't be read (${error.code}). Name the API with --url, or another folder with --data.`,
    )
  })
  if (text === undefined) return undefined
  const parsed = runFileSchema.safeParse(tryJson(text))
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data.url : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function checkedUrl(text: string): string {
  const url = URL.parse(text)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text
  throw new UsageError(
    `--url ${text} is no address. It looks like http://127.0.0.1:7071 or https://taskforce.example.com.`,
  )
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
