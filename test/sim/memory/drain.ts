import { z } from 'zod'
import { jsonb } from './jsonb.ts'
import type { Handler, Run } from './run.ts'

// Mirrors src/db/queries/drain.ts.

const DRAIN = 'drain'

const drainSchema = z.object({
  on: z.boolean(),
  by: z.string().optional(),
  reason: z.string().optional(),
  until: z.string().optional(),
})

/** What DRAINING gives. */
export function isDraining(run: Run): boolean {
  return current(run) !== undefined
}

function current(run: Run): z.infer<typeof drainSchema> | undefined {
  const row = run.tables.facts.get(run.tx, DRAIN)
  if (row === undefined) return undefined
  const value = drainSchema.parse(JSON.parse(row.value))
  const isOver = value.until !== undefined && Date.parse(value.until) <= run.now
  return value.on && !isOver ? value : undefined
}

const set: Handler = (run) => {
  const [by, reason, seconds] = run.values as [string, string, number | null]
  const until = seconds === null ? undefined : new Date(run.clock + seconds * 1000).toISOString()
  run.put(run.tables.facts, DRAIN, {
    name: DRAIN,
    at: run.clock,
    value: jsonb(JSON.stringify({ on: true, by, reason, until })),
  })
  return 1
}

const clear: Handler = (run) => {
  if (run.tables.facts.get(run.tx, DRAIN) === undefined) return 0
  run.put(run.tables.facts, DRAIN, { name: DRAIN, at: run.clock, value: jsonb('{"on": false}') })
  return 1
}

const read: Handler = (run) => {
  const drain = current(run)
  if (drain === undefined) return []
  const { by = null, reason = null, until } = drain
  return [{ by, reason, until: until === undefined ? null : new Date(until) }]
}

export const drain: Record<string, Handler> = { set_drain: set, clear_drain: clear, read_drain: read }
