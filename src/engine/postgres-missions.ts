import { effectiveProfileSchema, type EffectiveProfile } from '../domain/profile.ts'
import { TerminalError } from '../domain/errors.ts'
import type { EngineDb } from '../db/connection.ts'
import { claimMissions, isAnyFree } from '../db/queries/claim-mission.ts'
import { readContent, storeContent } from '../db/queries/contents.ts'
import { beat, leave, pollControl, type InstanceFacts } from '../db/queries/instances.ts'
import { readProfile } from '../db/queries/profiles.ts'
import { abandonMission, excuseMission, readInbox } from '../db/queries/release-mission.ts'
import { send } from '../db/statement.ts'
import { patiently } from './connection-patience.ts'
import type { Clock, Contents, Missions } from './ports.ts'
import { TenantTurns } from './turns.ts'

export function createMissions(db: EngineDb, instance: InstanceFacts, leaseSeconds: number): Missions {
  const profiles = new Map<string, Promise<EffectiveProfile>>()
  const turns = new TenantTurns()
  return {
    claim: async (most, suspect) => {
      const claims = await claimMissions(db, instance.id, most, turns.ahead(), suspect)
      turns.took(claims)
      return claims
    },
    anyFree: () => isAnyFree(db),
    inbox: (lease) => readInbox(db, lease),
    poll: () => pollControl(db, instance.id),
    abandon: (lease) => abandonMission(db, lease),
    excuse: (lease, inSeconds) => excuseMission(db, lease, inSeconds),
    beat: () => beat(db, instance, leaseSeconds),
    leave: () => leave(db, instance.id),
    profile: (tenantId, hash) => remember(profiles, `${tenantId}/${hash}`, () => loadProfile(db, tenantId, hash)),
  }
}

/** Content is named by its hash, so that storing and reading it again does no harm. */
export function createContents(db: EngineDb, clock: Clock): Contents {
  return {
    store: (tenantId, sha256, bytes) =>
      patiently(clock, async () => void (await send(db, [storeContent(tenantId, sha256, bytes)]))),
    read: (tenantId, sha256) => patiently(clock, () => readContent(db, tenantId, sha256)),
  }
}

async function loadProfile(db: EngineDb, tenantId: string, hash: string): Promise<EffectiveProfile> {
  const parsed = effectiveProfileSchema.safeParse(await readProfile(db, tenantId, hash))
  if (parsed.success) return parsed.data
  throw new TerminalError('profile_unreadable', `The mission's profile ${hash} can't be read by this build`, {
    hint: 'Deploy the build that the mission was created with; nothing was lost.',
  })
}

/** A profile never changes under its hash, so an instance reads each once; a hundred are kept. */
function remember<T>(cache: Map<string, Promise<T>>, key: string, load: () => Promise<T>): Promise<T> {
  const known = cache.get(key)
  if (known !== undefined) return known
  const loading = load()
  cache.set(key, loading)
  loading.catch(() => cache.delete(key))
  const oldest = cache.keys().next().value
  if (cache.size > 100 && oldest !== undefined) cache.delete(oldest)
  return loading
}
