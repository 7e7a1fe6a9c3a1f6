import { EVENT_VERSION, type EventDraft, type MissionEvent } from '../../domain/event.ts'
import type { Statement } from '../statement.ts'
import { recordedEvents } from './append-events.ts'
import { DRAINING } from './drain.ts'
import { COLUMNS, type MissionRow } from './missions.ts'
import { storable } from './storable.ts'

export interface NewMission {
  id: string
  tenantId: string
  goal: string
  /** Stored once for all missions that were created with it; without a body, it is there already. */
  profile: { name: string; hash: string; body?: object }
  labels: Record<string, string>
  priority: number
  forkedFrom?: { id: string; seq: number }
  /** A living instance that starts it at once and has its first lease, unless the tenant has a limit: its turn counts then. */
  instance?: string
}

/**
 * Inserts a mission that may start at once, and its profile where it is not there yet. Gives undefined and inserts nothing
 * while the deployment drains, and where the tenant is being removed.
 */
export function insertMission(mission: NewMission): Statement<(MissionRow & { owner: string | null }) | undefined> {
  const { id, tenantId, goal, profile, labels, priority, forkedFrom, instance } = mission
  return {
    query: {
      name: 'insert_mission',
      text: `
        with drain as materialized (select ${DRAINING} as on), pinned as (
          insert into taskforce.profiles (tenant_id, hash, name, body)
          select $2::uuid, $5::text, $4::text, $8::jsonb where $8::jsonb is not null and not (select d.on from drain d)
          on conflict do nothing
        )
        insert into taskforce.missions as m
          (id, tenant_id, status, goal, profile, profile_hash, labels, priority, wake_at, forked_from, forked_seq,
           owner, epoch, started_at, claimed_seq)
        select $1, $2, case when o.owner is null then 'queued' else 'running' end, $3, $4, $5, $6, $7, now(), $9, $10,
          o.owner, case when o.owner is null then 0 else 1 end, case when o.owner is not null then now() end,
          case when o.owner is null then 0 else 2 end
        from (
          select case when exists (select from taskforce.tenants where id = $2 and max_running is not null)
            then null else $11::uuid end as owner
          where not exists (select from taskforce.tenants where id = $2 and deleted_at is not null)
        ) o
        where not (select d.on from drain d)
        returning ${COLUMNS}, m.owner`,
      values: [
        id,
        tenantId,
        goal.slice(0, 2000),
        profile.name,
        profile.hash,
        JSON.stringify(labels),
        priority,
        profile.body === undefined ? null : JSON.stringify(profile.body),
        forkedFrom?.id ?? null,
        forkedFrom?.seq ?? null,
        instance ?? null,
      ],
    },
    read: ([row]) => row as (MissionRow & { owner: string | null }) | undefined,
  }
}

/** Records the first event of a mission inserted just before, and its start where an instance has its first lease. */
export function recordCreation(id: string, created: EventDraft, instance?: string): Statement<MissionEvent[]> {
  const started: EventDraft = { type: 'mission.started', data: { instance: instance ?? '' } }
  const written = [created, started].map(storable)
  return {
    query: {
      name: 'record_creation',
      text: `
        insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
        select m.id, u.n, m.epoch, ${EVENT_VERSION}, u.type, u.data, m.tenant_id
        from taskforce.missions m, unnest($2::text[], $3::jsonb[]) with ordinality u(type, data, n)
        where m.id = $1 and (u.n = 1 or m.owner is not null)
        order by u.n
        returning at`,
      values: [id, written.map(({ event }) => event.type), written.map(({ json }) => json)],
    },
    read: (rows) => {
      const times = rows.map((row) => (row['at'] as Date).getTime())
      return recordedEvents(written.slice(0, times.length), 0, times)
    },
  }
}
