import type { EngineDb } from '../../src/db/connection.ts'
import { databaseNow } from '../../src/db/queries/unfinished.ts'
import type { Decision, DecisionInput } from '../../src/engine/next-decision.ts'
import { unfinishedMissions } from '../../src/engine/unfinished-missions.ts'
import { describeChange } from './short-decision.ts'

/** What is printed with `--json`. */
export interface Report {
  checked: number
  /** `by`: which build can't read it. */
  unreadable: { id: string; by: 'new' | 'old'; why: string }[]
  /** Both read it, and would do something else next. */
  changed: { id: string; old: string; new: string }[]
}

export interface Builds {
  current: (input: DecisionInput) => Decision
  old?: (input: DecisionInput) => Promise<Decision>
}

export interface CheckOptions {
  /** Missions of one look at the list. */
  pageSize?: number
  onProgress?: (checked: number) => void
}

/**
 * Asks the builds about every mission that has not ended, all for the same time. A mission is read at one moment; what is
 * created meanwhile is met or not.
 */
export async function checkMissions(
  db: EngineDb,
  builds: Builds,
  { pageSize, onProgress = () => undefined }: CheckOptions = {},
): Promise<Report> {
  const report: Report = { checked: 0, unreadable: [], changed: [] }
  const now = await databaseNow(db)
  for await (const mission of unfinishedMissions(db, { pageSize })) {
    const { missionId, ...read } = mission
    await checkOne(report, builds, missionId, { v: 1, now, ...read })
    onProgress(++report.checked)
  }
  return report
}

async function checkOne(report: Report, builds: Builds, id: string, input: DecisionInput): Promise<void> {
  const current = builds.current(input)
  const old = await builds.old?.(input)
  if (!current.readable) report.unreadable.push({ id, by: 'new', why: current.why })
  if (old?.readable === false) report.unreadable.push({ id, by: 'old', why: old.why })
  if (!current.readable || old?.readable !== true || old.decision === current.decision) return
  report.changed.push({ id, ...describeChange(old.decision, current.decision) })
}
