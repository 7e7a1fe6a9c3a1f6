import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

const statusSchema = z.object({ last: z.coerce.date().nullable(), next: z.coerce.date(), lastUpdated: z.coerce.date() })

/** What the schedule monitor knows of a timer: its last run, the next one, and when that was written. */
export type TimerStatus = z.infer<typeof statusSchema>

/** Keeps timers' statuses over restarts, as the platform's host does in blobs; in memory where there is no folder. */
export type TimerStatuses = {
  read(functionName: string): TimerStatus | undefined
  write(functionName: string, status: TimerStatus): void
}

export function timerStatuses(folder: string | undefined): TimerStatuses {
  if (folder === undefined) return { read: () => undefined, write: () => undefined }
  mkdirSync(folder, { recursive: true })
  const file = (functionName: string) => path.join(folder, `${functionName}.json`)
  return {
    read: (functionName) => {
      try {
        return statusSchema.parse(JSON.parse(readFileSync(file(functionName), 'utf8')))
      } catch {
        // None yet, or torn by a crash: the timer then starts as a new one.
        return undefined
      }
    },
    write: (functionName, status) => {
      try {
        writeFileSync(`${file(functionName)}~`, JSON.stringify(status))
        renameSync(`${file(functionName)}~`, file(functionName))
      } catch {
        // A full disk costs at most the making up for a missed run; it must not end the host.
      }
    },
  }
}
