import type { EngineDb, ReaderSession } from '../db/connection.ts'
import { readProfile } from '../db/queries/profiles.ts'
import { listUnfinished, readJournals, readParents, type UnfinishedMission } from '../db/queries/unfinished.ts'
import type { DecisionInput } from './next-decision.ts'

const PAGE = 200
/** Of journals held at once, compressed as the database keeps them; read they take up to ten times as much. */
const BATCH_BYTES = 4_000_000

export type ReadMission = Pick<DecisionInput, 'journal' | 'parents' | 'profile'> & { missionId: string }

export interface ReadOptions {
  /** The mission after which to go on, in the order of their ids. */
  after?: string
  /** Missions of one look at the list. */
  pageSize?: number
}

/** Reads every mission of all tenants that has not ended, each at one moment; what is created meanwhile is met or not. */
export async function* unfinishedMissions(
  db: EngineDb | ReaderSession,
  { after: start, pageSize = PAGE }: ReadOptions = {},
): AsyncGenerator<ReadMission> {
  for (let after = start; ;) {
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
  db: EngineDb | ReaderSession,
  known: Map<string, unknown>,
  { tenantId, profileHash }: Pick<UnfinishedMission, 'tenantId' | 'profileHash'>,
): Promise<unknown> {
  const key = `${tenantId}/${profileHash}`
  if (!known.has(key)) known.set(key, await readProfile(db, tenantId, profileHash))
  return known.get(key)
}
