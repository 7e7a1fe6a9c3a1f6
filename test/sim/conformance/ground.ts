import type { ProfileFile } from '../../../src/config/profile-file.ts'
import type { EngineDb, TenantTx } from '../../../src/db/connection.ts'
import { inTenant } from '../../../src/db/in-tenant.ts'
import type { Lease } from '../../../src/db/queries/append-events.ts'
import { claimMissions, type Claim } from '../../../src/db/queries/claim-mission.ts'
import { beat } from '../../../src/db/queries/instances.ts'
import type { EventDraft } from '../../../src/domain/event.ts'
import { DEFAULT_TENANT, type Caller, type MissionsContext } from '../../../src/missions/context.ts'
import { createMission, type NewMissionRequest } from '../../../src/missions/create-mission.ts'
import type { MissionRecord } from '../../proof/history.ts'
import { recordTelemetry, recordWakes, type RecordedWakes } from '../../support/engine.ts'
import { event } from '../../support/journal.ts'
import type { Store } from './stores.ts'

export const CALLER: Caller = { tenantId: DEFAULT_TENANT, name: 'tester' }
export const OTHER: Caller = { tenantId: '00000000-0000-7000-8000-0000000000bb', name: 'other' }

/** Ids that every store gives alike: of missions, of instances, and of things that are nowhere. */
export const idOf = (kind: 'mission' | 'instance' | 'nobody', n: number): string =>
  `00000000-0000-7000-8${{ mission: 'a', instance: 'b', nobody: 'c' }[kind]}00-${String(n).padStart(12, '0')}`

export const NOBODY = idOf('nobody', 0)

export const said = (content: string): EventDraft => event('mission.message', { role: 'user', content, by: 'x' })

/** A store with the code of src/ on it. */
export interface Ground {
  store: Store
  db: EngineDb
  missions: MissionsContext
  wakes: RecordedWakes
  /** Through the real use case; gives the id. */
  create(request?: Partial<NewMissionRequest> & { caller?: Caller; instance?: string }): Promise<string>
  /** An instance that lives for so many seconds. */
  alive(seconds?: number): Promise<string>
  /** @throws where there was nothing to claim */
  claim(instance: string): Promise<Claim & { lease: Lease }>
  /** In one transaction of a tenant, the caller's unless told. */
  within<T>(work: (tx: TenantTx) => Promise<T>, tenantId?: string): Promise<T>
  row(id: string): Promise<MissionRecord | undefined>
  types(id: string): Promise<string[]>
}

/** Clears the store first. */
export async function groundOn(store: Store): Promise<Ground> {
  await store.clear()
  const db = store.databases.engine
  const wakes = recordWakes()
  let created = 0
  let instances = 0
  const missions: MissionsContext = {
    databases: store.databases,
    wakes,
    telemetry: recordTelemetry({}),
    tools: new Map(),
    profiles: new Map([['dev', PROFILE]]),
    defaultProfile: 'dev',
    newId: () => idOf('mission', ++created),
  }
  return {
    store,
    db,
    missions,
    wakes,
    async create({ caller = CALLER, instance, ...request } = {}) {
      const given = { messages: [{ role: 'user' as const, content: 'Do it' }], files: [], labels: {}, priority: 0 }
      return (await createMission(missions, caller, { ...given, ...request }, instance)).mission.id
    },
    async alive(seconds = 60) {
      const id = idOf('instance', ++instances)
      await beat(db, { id, version: '0', host: 'test' }, seconds)
      return id
    },
    async claim(instance) {
      const [claim] = await claimMissions(db, instance, 1)
      if (claim === undefined) throw new Error('there was nothing to claim')
      return { ...claim, lease: { missionId: claim.missionId, epoch: claim.epoch, instance } }
    },
    within: (work, tenantId = CALLER.tenantId) => inTenant(store.databases.api, tenantId, work),
    row: async (id) => (await store.missions()).find((row) => row.id === id),
    types: async (id) => (await store.events()).filter((row) => row.missionId === id).map(({ type }) => type),
  }
}

const PROFILE: ProfileFile = {
  description: 'For tests',
  model: {},
  instructions: 'Do what you are told.',
  tools: ['ask_user', 'wait'],
  limits: { steps: 50, tokens: 100_000, costUsd: '1.00', wallHours: 24 },
  prices: { scripted: { inputUsd: '1', outputUsd: '2' } },
  egress: { allow: [], post: [] },
}
