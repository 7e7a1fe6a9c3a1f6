import { z } from 'zod'
import { nameOf, runningRecord, type DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** What runs: its record; `unknown` where the app answers with a package that none tells of; undefined where nothing is known. */
export type Running = DeploymentRecord | 'unknown' | undefined

/** Whether a record is of the package that runs, this time or an earlier one. */
export function isRunning({ package: { sha256 } }: DeploymentRecord, running: Running): boolean {
  return typeof running === 'object' && running.package.sha256 === sha256
}

/** A cold start takes some of it; where more is needed, the records have to do. */
const HEALTH_MS = 15_000

const healthSchema = z.looseObject({ build: z.string().optional() })

/** What runs, and whether the app itself says so; else the records do. */
export interface Seen {
  running: Running
  isAnswered: boolean
}

/**
 * Which record is of the package that runs. The app itself is asked, since a run that was killed, or somebody without these scripts,
 * leaves records that say something else; where it does not say, the records do. What differs is said on standard error.
 * @param records the newest first
 */
export async function findRunning(
  session: Session,
  target: Target,
  records: readonly DeploymentRecord[],
): Promise<Seen> {
  const recorded = runningRecord(records)
  if (records.length === 0) return { running: recorded, isAnswered: false }
  const build = await askBuild(session, target)
  if (build === undefined || build === recorded?.build) return { running: recorded, isAnswered: build !== undefined }
  const running = records.find((record) => record.build === build)
  const marked = recorded === undefined ? 'none' : whenOf(recorded)
  say(
    session,
    running === undefined
      ? `The app answers with a package that no record tells of (build ${build}); the records say ${marked}.`
      : `The app answers with ${whenOf(running)}, which is taken for what runs; the records say ${marked}.`,
  )
  return { running: running ?? 'unknown', isAnswered: true }
}

async function askBuild(session: Session, { apiUrl }: Target): Promise<string | undefined> {
  const url = new URL('/health', apiUrl)
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_MS) })
    if (response.ok) return healthSchema.parse(await response.json()).build
    throw new Error(String(response.status))
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } }
    say(session, `${url.href} does not say what runs (${cause?.code ?? message}), so what runs is as the records say.`)
    return undefined
  }
}

function whenOf(record: DeploymentRecord): string {
  return `${nameOf(record)} of ${record.startedAt}`
}

function say({ log, terminal }: Session, line: string): void {
  log.write(line)
  terminal.note(line)
}
