import type { TenantTx } from '../db/connection.ts'
import { inTenant } from '../db/in-tenant.ts'
import { claimKey } from '../db/queries/idempotency-keys.ts'
import type { Message } from '../domain/event.ts'
import type { Claim } from '../engine/ports.ts'
import type { Caller, MissionsContext } from './context.ts'
import { readMission } from './read-mission.ts'
import { Refusal } from './refusal.ts'
import type { MissionView } from './view.ts'
import { wake } from './wake.ts'

/** A client's key for a request, and a hash of what it asks for. */
export interface Idempotency {
  key: string
  fingerprint: string
}

export interface Made {
  mission: MissionView
  /** The lease of the instance that it was created for. */
  claim?: Claim
}

export interface Created extends Made {
  /** The key was used before: this is the mission of that time. */
  replayed: boolean
}

/** Makes a mission under this id. Without a transaction that has begun for its key, one of its own. */
export type Make = (id: string, tx: TenantTx | undefined) => Promise<Made>

/**
 * Makes a mission in one commit, then sends a wake. The mission is safe from the commit on; a wake that can't be sent is made
 * up for by the sweep.
 * @param make Looks at what depends on more than the request (the time, the profiles of this build, another mission), and
 * makes the mission. It runs after the key, so that a repeated request never fails where the first one was accepted.
 * @throws Refusal `idempotency_conflict`, or what `make` throws; nothing was changed then.
 */
export async function acceptMission(
  context: MissionsContext,
  caller: Caller,
  idempotency: Idempotency | undefined,
  make: Make,
): Promise<Created> {
  const id = context.newId()
  const made =
    idempotency === undefined ? await make(id, undefined) : await underKey(context, caller, id, idempotency, make)
  if (typeof made === 'string') return { mission: await readMission(context, caller, made), replayed: true }
  const { profile, goal } = made.mission
  context.telemetry.missionAccepted({ missionId: id, tenantId: caller.tenantId, profile, goal })
  if (made.claim === undefined) await wake(context, id)
  return { ...made, replayed: false }
}

function underKey(
  context: MissionsContext,
  { tenantId }: Caller,
  id: string,
  idempotency: Idempotency,
  make: Make,
): Promise<Made | string> {
  return inTenant(context.databases.api, tenantId, async (tx) => {
    const owner = await claimKey(tx, { tenantId, missionId: id, ...idempotency })
    return owner === undefined ? make(id, tx) : sameRequest(owner, idempotency.fingerprint)
  })
}

/**
 * The id of the mission that the key was used for.
 * @throws Refusal `idempotency_conflict`
 */
export function sameRequest(owner: { missionId: string; fingerprint: string }, fingerprint: string): string {
  if (owner.fingerprint === fingerprint) return owner.missionId
  throw new Refusal(
    'idempotency_conflict',
    'This Idempotency-Key was used for another request. Use a new key for a new request.',
  )
}

/** @throws Refusal `invalid_request` */
export function checkDeadline(deadline: string | undefined): void {
  if (deadline === undefined || Date.parse(deadline) > Date.now()) return
  throw new Refusal('invalid_request', 'The deadline has passed.', [
    { pointer: '/deadline', detail: 'must be in the future' },
  ])
}

export function goalOf(messages: readonly Message[]): string {
  return messages.findLast(({ role }) => role === 'user')?.content ?? ''
}
