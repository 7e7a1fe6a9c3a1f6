import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, it, vi } from 'vitest'
import { makeInvoices } from '../support/invoices.ts'
import { lives, postmasterPid, startCommand, type Started } from '../support/start-command.ts'

const GOAL = 'Total these invoices by customer and say who owes most'
const dataDir = mkdtempSync(join(tmpdir(), 'taskforce-e2e-'))
let running: Started | undefined

afterAll(async () => {
  await running?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function submit(csv: string): Promise<string> {
  const body = JSON.stringify({ goal: GOAL, files: [{ name: 'invoices.csv', content: csv }] })
  const response = await fetch(`${running?.url}/api/v1/missions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(response.status).toBe(202)
  return ((await response.json()) as { id: string }).id
}

interface Mission {
  status: string
  lastSeq: number
  result?: { text: string }
}

async function ended(id: string): Promise<Mission> {
  return vi.waitUntil(
    async () => {
      const mission = (await (await fetch(`${running?.url}/api/v1/missions/${id}`)).json()) as Mission
      return ['completed', 'failed', 'cancelled'].includes(mission.status) && mission
    },
    { timeout: 60_000, interval: 100 },
  )
}

async function query<T extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<T[]> {
  const client = new pg.Client({ connectionString: running?.databaseUrl })
  await client.connect()
  try {
    return (await client.query<T>(sql, values)).rows
  } finally {
    await client.end()
  }
}

function expectExact(text: string, expected: ReturnType<typeof makeInvoices>): void {
  expect(text).toContain(`${expected.winner} owes most`)
  expect(text).toContain(`Total: ${expected.total}`)
  for (const [customer, amount] of expected.owed) expect(text).toContain(`${customer}: ${amount}`)
}

it(
  'totals 2 MB of invoices to the cent, and is ready with nothing to complain about',
  { timeout: 120_000 },
  async () => {
    running = await startCommand(dataDir)
    const invoices = makeInvoices(2_000_000)
    const mission = await ended(await submit(invoices.csv))
    expect(mission.status).toBe('completed')
    expectExact(mission.result?.text ?? '', invoices)
    const ready = (await (await fetch(`${running.url}/health/ready`)).json()) as { status: string; checks: object }
    expect(ready).toMatchObject({ status: 'ready', checks: { model: { detail: expect.stringContaining('scripted') } } })
  },
)

it('goes on after host and Postgres were killed in the middle of a tool call', { timeout: 180_000 }, async () => {
  running ??= await startCommand(dataDir)
  const invoices = makeInvoices(7_500_000)
  const id = await submit(invoices.csv)
  await vi.waitUntil(async () => (await calls(id)).length > 0, { timeout: 60_000, interval: 5 })
  const [host, postgres] = [running.pid, postmasterPid(dataDir)]
  process.kill(host, 'SIGKILL')
  process.kill(postgres, 'SIGKILL')
  await vi.waitUntil(() => !lives(host) && !lives(postgres), { timeout: 5_000, interval: 50 })

  running = await startCommand(dataDir)
  const mission = await ended(id)
  expect(mission.status).toBe('completed')
  expectExact(mission.result?.text ?? '', invoices)
  const events = await query<{ seq: number; epoch: number; type: string; data: { callId?: string; name?: string } }>(
    'select seq, epoch, type, data from taskforce.events where mission_id = $1 order by seq',
    [id],
  )
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  expect(mission.lastSeq).toBe(events.length)
  const settled = events.filter(({ type }) => type === 'tool.finished').map(({ data }) => data.callId)
  expect(new Set(settled).size).toBe(settled.length)
  expect(events.filter(({ type }) => type === 'mission.started')).toHaveLength(1)
  // The kill was in the middle of the call: it was asked for under one lease, and recorded under another.
  const asked = events.find(({ data }) => JSON.stringify(data).includes('"query_table"'))
  const [repeated] = events.filter(({ type, data }) => type === 'tool.finished' && data.name === 'query_table')
  expect(repeated?.epoch).toBeGreaterThan(asked?.epoch ?? 0)
})

/** Calls of query_table that are recorded as asked for, and not yet as done. */
async function calls(id: string): Promise<unknown[]> {
  return query(
    `select 1 from taskforce.events where mission_id = $1 and type = 'model.answered'
       and data->'toolCalls' @> '[{"name": "query_table"}]'`,
    [id],
  )
}

it(
  'ends its children within five seconds of its own death, and stops cleanly on Ctrl-C',
  { timeout: 60_000 },
  async () => {
    running ??= await startCommand(dataDir)
    const postgres = postmasterPid(dataDir)
    process.kill(running.pid, 'SIGKILL')
    await vi.waitUntil(() => !lives(postgres), { timeout: 5_000, interval: 50 })
    running = await startCommand(dataDir)
    expect(await running.stop()).toBe(0)
    running = undefined
  },
)
