import type { EngineDb } from '../../src/db/connection.ts'
import { readProfile } from '../../src/db/queries/profiles.ts'
import {
  databaseNow,
  listUnfinished,
  readJournals,
  readParents,
  type UnfinishedMission,
} from '../../src/db/queries/unfinished.ts'
import type { Decision, DecisionInput } from '../../src/engine/next-decision.ts'
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

const PAGE = 200
/** Of journals held at once, compressed as the database keeps them; read they take up to ten times as much. */
const BATCH_BYTES = 4_000_000

/**
 * Asks the builds about every mission that has not ended, all for the same time. A mission is read at one moment; what is
 * created meanwhile is met or not.
 */
export async function checkMissions(
  db: EngineDb,
  builds: Builds,
  { pageSize = PAGE, onProgress = () => undefined }: CheckOptions = {},
): Promise<Report> {
  const report: Report = { checked: 0, unreadable: [], changed: [] }
  const now = await databaseNow(db)
  for await (const mission of unfinishedMissions(db, pageSize)) {
    const { missionId, ...read } = mission
    await checkOne(report, builds, missionId, { v: 1, now, ...read })
    onProgress(++report.checked)
  }
  return report
}

type Read = Pick<DecisionInput, 'journal' | 'parents' | 'profile'> & { missionId: string }

async function* unfinishedMissions(db: EngineDb, pageSize: number): AsyncGenerator<Read> {
  for (let after: string | undefined; ;) {
    const page = await listUnfinished(db, after, pageSize)
    const profiles = new Map<string, unknown>()
    for (const batch of batches(page)) {
      const journals = await readJournals(db, batch)
      for (const { missionId, ...pinned } of batch) {
        const journal = journals.get(missionId) ?? []
        const parents = await readParents(db, journal)
        yield { missionId, journal, parents, profile: await profileOf(db, profiles, pinned) }
      }
    }
    if (page.length < pageSize) return
    after = page.at(-1)?.missionId
  }
}

/** Runs of missions whose journals fit into the memory for a batch; one at least, however long it is. */
function* batches(missions: readonly UnfinishedMission[]): Generator<UnfinishedMission[]> {
  let batch: UnfinishedMission[] = []
  let bytes = 0
  for (const mission of missions) {
    if (batch.length > 0 && bytes + mission.bytes > BATCH_BYTES) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(mission)
    bytes += mission.bytes
  }
  if (batch.length > 0) yield batch
}

/** Thousands of missions share a profile. */
async function profileOf(
  db: EngineDb,
  known: Map<string, unknown>,
  { tenantId, profileHash }: Pick<UnfinishedMission, 'tenantId' | 'profileHash'>,
): Promise<unknown> {
  const key = `${tenantId}/${profileHash}`
  if (!known.has(key)) known.set(key, await readProfile(db, tenantId, profileHash))
  return known.get(key)
}

async function checkOne(report: Report, builds: Builds, id: string, input: DecisionInput): Promise<void> {
  const current = builds.current(input)
  const old = await builds.old?.(input)
  if (!current.readable) report.unreadable.push({ id, by: 'new', why: current.why })
  if (old?.readable === false) report.unreadable.push({ id, by: 'old', why: old.why })
  if (!current.readable || old?.readable !== true || old.decision === current.decision) return
  report.changed.push({ id, ...describeChange(old.decision, current.decision) })
}
