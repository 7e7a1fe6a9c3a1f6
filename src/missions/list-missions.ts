import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { inTenant } from '../db/in-tenant.ts'
import { listMissions as listRows, readProgress, type ListedRow, type Progress } from '../db/queries/missions.ts'
import type { TenantTx } from '../db/connection.ts'
import type { Caller, MissionsContext } from './context.ts'
import { Refusal } from './refusal.ts'
import { viewFromSummary, type MissionView } from './view.ts'

export interface ListRequest {
  /** 1 to 100. */
  limit: number
  status?: string
  labels?: Record<string, string>
  cursor?: string
}

const instant = z.iso.datetime({ offset: true })

/** A time as Postgres writes it, to the microsecond (`2026-11-23 10:00:00.123456+00`), and an id. */
const positionSchema = z.tuple([z.string().refine((at) => instant.safeParse(toIso(at)).success), z.uuid()])

/** Newest first, by pages. A cursor belongs to the tenant and the filter that it was given for. */
export async function listMissions(
  context: MissionsContext,
  caller: Caller,
  request: ListRequest,
): Promise<{ items: MissionView[]; nextCursor: string | null }> {
  const bound = JSON.stringify([caller.tenantId, request.status ?? null, request.labels ?? null])
  const before = request.cursor === undefined ? undefined : openCursor(request.cursor, bound)
  const { limit, status, labels } = request
  return inTenant(context.databases.api, caller.tenantId, async (tx) => {
    const rows = await listRows(tx, { limit, status, labels, before })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const nextCursor = rows.length > limit && last !== undefined ? sealCursor([last.cursorAt, last.id], bound) : null
    return { items: await withProgress(tx, page), nextCursor }
  })
}

/** A summary is as old as the last transition: missions that move, or are told something in a pause, are counted from their journals. */
async function withProgress(tx: TenantTx, rows: ListedRow[]): Promise<MissionView[]> {
  const moving = rows.filter(({ status }) => ['running', 'queued', 'paused'].includes(status)).map(({ id }) => id)
  const progress = new Map((await readProgress(tx, moving)).map((row) => [row.missionId, row]))
  return rows.map((row) =>
    viewFromSummary(row, { ...row.summary, ...usageOf(progress.get(row.id)) }, row.result ?? undefined),
  )
}

function usageOf(progress: Progress | undefined) {
  if (progress === undefined) return {}
  const { lastSeq, steps, inputTokens, outputTokens, costUsd } = progress
  return { lastSeq, usage: { steps, inputTokens, outputTokens, costUsd } }
}

/** Not a secret: the seal only ties a cursor to its list, row-level security keeps tenants apart. */
function seal(payload: string, bound: string): string {
  return createHmac('sha256', bound).update(payload).digest('base64url').slice(0, 22)
}

function sealCursor(position: [string, string], bound: string): string {
  const payload = Buffer.from(JSON.stringify(position)).toString('base64url')
  return `${payload}.${seal(payload, bound)}`
}

function openCursor(cursor: string, bound: string): { createdAt: string; id: string } {
  const [payload = '', mark = '', ...rest] = cursor.split('.')
  const expected = Buffer.from(seal(payload, bound))
  const given = Buffer.from(mark)
  if (rest.length > 0 || expected.length !== given.length || !timingSafeEqual(expected, given)) throw badCursor()
  return readPosition(payload)
}

/** Whoever knows the tenant's id can seal a cursor of their own, so what is in it is checked like any input. */
function readPosition(payload: string): { createdAt: string; id: string } {
  try {
    const [createdAt, id] = positionSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    return { createdAt, id }
  } catch {
    throw badCursor()
  }
}

function badCursor(): Refusal {
  const detail = 'must be the nextCursor of a page of this same list'
  return new Refusal('invalid_request', 'The cursor does not belong to this list.', [{ pointer: '/cursor', detail }])
}

function toIso(at: string): string {
  return at.replace(' ', 'T').replace(/[+-]\d\d$/, '$&:00')
}
