import { readFileSync } from 'node:fs'
import { Client } from 'pg'
import { z } from 'zod'
import type { EventRecord, Fault, History, MissionRecord, ToolRun } from './history.ts'

/** What is not in the database; `endedAt` is the recorder's clock at the call. */
export type Observed = Pick<
  History,
  'toolRuns' | 'requests' | 'reads' | 'faults' | 'claims' | 'poisoned' | 'healedAt' | 'endedAt'
>

/** As `MissionRecord`s, in no order. */
export const MISSION_ROWS = `
  select id, tenant_id as "tenantId", status, epoch, owner, inbox, crashes, summary, profile_hash as "profileHash",
    (extract(epoch from wake_at) * 1000)::float8 as "wakeAt",
    (extract(epoch from started_at) * 1000)::float8 as "startedAt",
    (extract(epoch from ended_at) * 1000)::float8 as "endedAt",
    forked_from as "forkedFrom", forked_seq as "forkedSeq"
  from taskforce.missions`

/** Times are cut to milliseconds as where the engine reads them: it decides on what is left. */
export const EVENT_ROWS = `
  select mission_id as "missionId", seq, epoch, v, type, data, trunc(extract(epoch from at) * 1000)::float8 as at,
    tenant_id as "tenantId"
  from taskforce.events order by mission_id, seq`

/**
 * Reads what the database has at one moment, and joins it with what others saw. Connects as its owner, whom no policy hides
 * anything from; throws what the driver throws.
 */
export async function loadHistory(ownerUrl: string, observed: Observed): Promise<History> {
  const called = performance.now()
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('begin transaction isolation level repeatable read read only')
    const { rows: times } = await client.query<{ now: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::float8 as now',
    )
    // Both clocks at one moment, which is the call.
    const databaseNow = (times[0]?.now ?? 0) - (performance.now() - called)
    const missions = await client.query<MissionRecord>(`${MISSION_ROWS} order by id`)
    const events = await client.query<EventRecord>(EVENT_ROWS)
    const living = await client.query<{ id: string }>('select id from taskforce.instances where alive_until > now()')
    await client.query('commit')
    return {
      ...observed,
      missions: missions.rows,
      events: events.rows,
      living: living.rows.map(({ id }) => id),
      databaseNow,
    }
  } finally {
    await client.end()
  }
}

const runSchema = z.object({
  missionId: z.string(),
  key: z.string(),
  tool: z.string(),
  effect: z.enum(['read', 'idempotent', 'once']),
  instance: z.string(),
  begunAt: z.number(),
  endedAt: z.number().optional(),
  outcome: z.enum(['done', 'failed', 'aborted']).optional(),
})

const faultSchema = z.object({
  kind: z.string(),
  at: z.number(),
  until: z.number().optional(),
  instance: z.string().optional(),
  owned: z.array(z.object({ missionId: z.string(), epoch: z.int() })).optional(),
})

const lineSchema = z.union([
  z.strictObject({ begin: runSchema }),
  z.strictObject({ end: runSchema }),
  z.strictObject({ fault: faultSchema }),
])

/**
 * What one worker process wrote down, from JSON lines `{"begin": ToolRun}`, `{"end": ToolRun}` and `{"fault": Fault}`; nothing
 * where it died before its first line. A last line that a SIGKILL cut is left out.
 * @throws Error for any other line that can't be read
 */
export function readLedger(file: string): { toolRuns: ToolRun[]; faults: Fault[] } {
  const runs = new Map<string, ToolRun[]>()
  const faults: Fault[] = []
  for (const line of linesOf(file)) {
    if ('fault' in line) faults.push(line.fault)
    if ('begin' in line) runs.set(nameOf(line.begin), [...(runs.get(nameOf(line.begin)) ?? []), line.begin])
    if ('end' in line) end(runs, line.end)
  }
  return { toolRuns: [...runs.values()].flat(), faults }
}

/** What stands before the last whole line where a process was killed as it wrote, and another one wrote on. */
const CUT = /^.+(?=\{"(?:begin|end|fault)":)/

function linesOf(file: string): z.infer<typeof lineSchema>[] {
  const lines = textOf(file).split('\n')
  // Behind the last line break is nothing, or a line that was cut.
  return lines.slice(0, -1).map((line, index) => {
    const parsed = lineSchema.safeParse(parseJson(line) ?? parseJson(line.replace(CUT, '')))
    if (parsed.success) return parsed.data
    throw new Error(`Line ${index + 1} of ${file} is none of a ledger: ${line.slice(0, 200)}`)
  })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** A tool that is tried again may begin twice within a millisecond: each end is of one begin. */
function end(runs: Map<string, ToolRun[]>, ended: ToolRun): void {
  const begun = runs.get(nameOf(ended)) ?? []
  const index = begun.findIndex(({ endedAt }) => endedAt === undefined)
  runs.set(nameOf(ended), index === -1 ? [...begun, ended] : begun.with(index, ended))
}

function nameOf({ missionId, key, instance, begunAt }: ToolRun): string {
  return `${missionId}/${key}/${instance}/${begunAt}`
}
