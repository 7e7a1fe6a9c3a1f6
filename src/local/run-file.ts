import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const runSchema = z.object({
  event: z.literal('ready'),
  url: z.string(),
  databaseUrl: z.string(),
  storageConnectionString: z.string(),
  demoModelUrl: z.string().optional(),
  pid: z.int(),
})

/** How to reach a running environment; the same as the last line that `npm start -- --json` prints before it serves. */
export type RunFile = z.infer<typeof runSchema>

export function writeRunFile(dataDir: string, run: RunFile): void {
  writeFileSync(join(dataDir, 'run.json'), `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
}

export function removeRunFile(dataDir: string): void {
  rmSync(join(dataDir, 'run.json'), { force: true })
}

/** The environment of a data folder, if its process lives. */
export function readRunFile(dataDir: string): RunFile | undefined {
  try {
    const run = runSchema.parse(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')))
    return lives(run.pid) ? run : undefined
  } catch {
    return undefined
  }
}

/**
 * Takes a data folder for this process; gives the function that frees it.
 * @throws Error in one sentence when another living process has it.
 */
export function lockFolder(dataDir: string): () => void {
  makeFolder(dataDir)
  const path = join(dataDir, 'lock')
  for (let attempt = 1; ; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const pid = Number(readFileSync(path, 'utf8'))
      if (attempt > 1 || (pid !== process.pid && lives(pid))) {
        throw new Error(
          `${dataDir} is in use by process ${pid}: stop that one first, or give another folder with --data.`,
          { cause: error },
        )
      }
      rmSync(path, { force: true })
    }
  }
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true })
    accessSync(dataDir, constants.W_OK)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new Error(`${dataDir} can't be used as a folder (${why}): give one that you may write to with --data.`, {
      cause: error,
    })
  }
}

function lives(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
