import type { Client } from 'pg'
import type { OwnerTx } from '../../db/connection.ts'
import { appendInTransaction } from '../../db/queries/append-events.ts'
import { pauseMission } from '../../db/queries/missions.ts'
import { readEvents } from '../../db/queries/read-events.ts'
import { TerminalError } from '../../domain/errors.ts'
import { evolve } from '../../domain/evolve.ts'
import { parseEvent } from '../../domain/parse-event.ts'
import { effectiveProfileSchema, type UnknownOutcomes } from '../../domain/profile.ts'
import type { MissionState } from '../../domain/state.ts'
import { summarise } from '../../domain/summary.ts'
import type { BegunCall, EffectClaims } from '../../engine/effect-claims.ts'
import { foldJournal } from '../../engine/fold-journal.ts'
import { unknownEffectEvents, type UnknownEffect } from './unknown-effect-events.ts'

/** Calls that act once, were begun, and are not known to the journals. */
export interface EffectsReport {
  /** Recorded as unknown; their missions are paused. */
  unknown: UnknownEffect[]
  /** Of missions that have ended in the database, where nothing more is recorded. */
  ended: UnknownEffect[]
  /** Of missions that are not in the database, begun after its newest event. */
  strangers: UnknownEffect[]
  /** Of missions whose journal this build can't read, and therefore does not move either. */
  unreadable: UnknownEffect[]
}

interface MissionNow {
  id: string
  ended: boolean
}

/** Clocks of the storage and of the database may differ by so much. */
const CLOCKS_MS = 10 * 60_000

/**
 * Compares the claims of calls that act once, which lie outside of the database, with the journals, and records what these
 * don't know. Part of a transaction that nobody else writes beside; works on every revision of the schema. A second time, it
 * finds nothing more.
 * @param to what the database was set back to, for people and models
 * @throws TerminalError `effects_unreadable`
 */
export async function reconcileEffects(client: Client, claims: EffectClaims, to: string): Promise<EffectsReport> {
  const report: EffectsReport = { unknown: [], ended: [], strangers: [], unreadable: [] }
  const newestAt = await newestEventAt(client)
  for await (const page of claims.pages()) {
    const unknown = await unknownOf(client, page)
    const missions = await readMissions(client, unknown)
    for (const [missionId, calls] of Map.groupBy(unknown, (call) => call.missionId)) {
      const mission = missions.get(missionId)
      // Retention took away what is older, and its claims outlive it.
      const newer = calls.filter(({ madeAt }) => madeAt === undefined || madeAt.getTime() > newestAt - CLOCKS_MS)
      const told = await Promise.all((mission === undefined ? newer : calls).map((call) => readUnknown(claims, call)))
      report[await settle(client, mission, told, to)].push(...told)
    }
  }
  return report
}

async function readUnknown(claims: EffectClaims, { missionId, key }: BegunCall): Promise<UnknownEffect> {
  return { missionId, key, by: await claims.by({ missionId, key }) }
}

async function settle(
  client: Client,
  mission: MissionNow | undefined,
  effects: UnknownEffect[],
  to: string,
): Promise<keyof EffectsReport> {
  if (mission === undefined) return 'strangers'
  if (mission.ended) return 'ended'
  return (await record(client as Client & OwnerTx, mission.id, effects, to)) ? 'unknown' : 'unreadable'
}

/** False where the journal can't be read. */
async function record(tx: OwnerTx, missionId: string, effects: UnknownEffect[], to: string): Promise<boolean> {
  const before = await stateOf(tx, missionId)
  if (before === undefined) return false
  const policy = await policyOf(tx, missionId)
  const events = unknownEffectEvents(before, effects, { to, policy })
  const recorded = await appendInTransaction(tx, missionId, before.seq, events)
  await pauseMission(tx, missionId, summarise(recorded.reduce<MissionState>(evolve, before)))
  return true
}

async function stateOf(tx: OwnerTx, missionId: string): Promise<MissionState | undefined> {
  const journal = {
    read: async (id: string, afterSeq: number, uptoSeq?: number) =>
      (await readEvents(tx, id, afterSeq, uptoSeq && uptoSeq - afterSeq)).map(parseEvent),
  }
  try {
    return await foldJournal(journal, missionId)
  } catch (error) {
    if (error instanceof TerminalError) return undefined
    throw error
  }
}

/** Of a profile that this build can't read, the model is told. */
async function policyOf(tx: OwnerTx, missionId: string): Promise<UnknownOutcomes> {
  const { rows } = await tx.query<{ body: unknown }>(
    `select p.body from taskforce.missions m
     join taskforce.profiles p on p.tenant_id = m.tenant_id and p.hash = m.profile_hash where m.id = $1`,
    [missionId],
  )
  const parsed = effectiveProfileSchema.pick({ unknownOutcomes: true }).safeParse(rows[0]?.body)
  return parsed.data?.unknownOutcomes ?? 'model'
}

/** Those of a page that the journals don't know. */
async function unknownOf(client: Client, page: readonly BegunCall[]): Promise<BegunCall[]> {
  const { rows } = await client.query<{ name: string }>(
    `select mission_id || '/' || (data->>'key') as name from taskforce.events
     where mission_id = any($1) and type in ('tool.started', 'tool.unknown')`,
    [[...new Set(page.map(({ missionId }) => missionId))]],
  )
  const known = new Set(rows.map(({ name }) => name))
  return page.filter(({ missionId, key }) => !known.has(`${missionId}/${key}`))
}

async function readMissions(client: Client, calls: readonly BegunCall[]): Promise<Map<string, MissionNow>> {
  const { rows } = await client.query<MissionNow>(
    'select id, ended_at is not null as ended from taskforce.missions where id = any($1)',
    [[...new Set(calls.map(({ missionId }) => missionId))]],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** Milliseconds since 1970; before everything where there is no event. */
async function newestEventAt(client: Client): Promise<number> {
  const { rows } = await client.query<{ at: Date | null }>('select max(at) as at from taskforce.events')
  return rows[0]?.at?.getTime() ?? -Infinity
}
