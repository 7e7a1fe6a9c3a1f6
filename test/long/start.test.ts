import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, expect, it, vi } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { readRunFile } from '../../src/local/run-file.ts'
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

it(
  'gives the same result when Postgres alone is killed in the middle of a tool call',
  { timeout: 120_000 },
  async () => {
    running ??= await startCommand(dataDir)
    const invoices = makeInvoices(7_500_000)
    const id = await submit(invoices.csv)
    await vi.waitUntil(async () => (await calls(id)).length > 0, { timeout: 60_000, interval: 5 })
    process.kill(postmasterPid(dataDir), 'SIGKILL')
    const mission = await ended(id)
    expect(mission.status).toBe('completed')
    expectExact(mission.result?.text ?? '', invoices)
    await running.stop()
    running = undefined
  },
)

it('ends when the npm that started it is killed', { timeout: 60_000 }, async () => {
  const args = ['start', '--silent', '--', '--port', '0', '--data', dataDir, '--json']
  const npm = spawn('npm', args, { stdio: ['ignore', 'ignore', 'ignore'] })
  const pid = await vi.waitUntil(() => readRunFile(dataDir)?.pid, { timeout: 40_000, interval: 100 })
  const postgres = postmasterPid(dataDir)
  npm.kill('SIGKILL')
  const gone = () => !lives(pid) && !lives(postgres)
  expect(await vi.waitUntil(gone, { timeout: 15_000, interval: 50 })).toBe(true)
})

it('names what is wrong with the settings, and starts nothing', { timeout: 30_000 }, async () => {
  const wrong = startCommand(dataDir, { SLICE_SECONDS: 'soon', SWEEP_SCHEDULE: '* *' })
  await expect(wrong).rejects.toThrow(/environment: SLICE_SECONDS must be a number of seconds/)
  await expect(startCommand(dataDir, { SWEEP_SCHEDULE: '* *' })).rejects.toThrow('SWEEP_SCHEDULE six fields such as')
  await expect(startCommand(dataDir, { PROFILE: 'nope' })).rejects.toThrow('no usable profile "nope"; there are: dev')
})

it('gives Postgres and Azurite alone, with the settings for func', { timeout: 60_000 }, async () => {
  const settings = join(dataDir, 'local.settings.json')
  const args = ['scripts/dev-services.ts', '--data', dataDir, '--settings', settings, '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const isReady = () => readRunFile(dataDir) !== undefined && existsSync(settings)
  await vi.waitUntil(isReady, { timeout: 40_000, interval: 100 })
  const { Values } = JSON.parse(readFileSync(settings, 'utf8')) as { Values: Record<string, string> }
  expect(loadConfig(Values)).toMatchObject({ ok: true })
  const client = new pg.Client({ connectionString: Values['DATABASE_URL'] })
  await client.connect()
  expect((await client.query('select count(*) > 0 as kept from taskforce.missions')).rows).toEqual([{ kept: true }])
  await client.end()
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number]
  expect(code).toBe(0)
})
