import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabases } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { isConnectionError } from '../../src/db/pg-errors.ts'
import { claimKey } from '../../src/db/queries/idempotency-keys.ts'
import { readContent, storeContent } from '../../src/db/queries/contents.ts'
import { send } from '../../src/db/statement.ts'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import type { Caller } from '../../src/missions/context.ts'
import { createMission } from '../../src/missions/create-mission.ts'
import { listMissions } from '../../src/missions/list-missions.ts'
import { listFiles, readFile } from '../../src/missions/read-files.ts'
import { readJournal } from '../../src/missions/read-journal.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import { callTools, createWorld, script, until, type World } from '../support/engine.ts'
import { withConnection } from '../support/postgres.ts'

const OTHER: Caller = { tenantId: '00000000-0000-7000-8000-000000000002', name: 'other' }
const file = { name: 'a.txt', bytes: Buffer.from('secret') }

let world: World
let mine: string
let theirs: string
let ends: string[]

beforeAll(async () => {
  world = await createWorld()
  await world.sql(`insert into taskforce.tenants (id, name) values ($1, 'other')`, [OTHER.tenantId])
  mine = await world.create('Mine', { files: [file] })
  const request = { messages: [{ role: 'user' as const, content: 'Theirs' }], files: [file], labels: {}, priority: 0 }
  theirs = (await createMission(world.missions, OTHER, request)).mission.id
  const { run } = world.engine({ model: script(callTools(['ask_user', { question: 'Which?' }])) })
  ends = await run()
})
afterAll(() => world.stop())

describe('the wall between tenants', () => {
  it('does not stand in the way of the engine, which moves the missions of all', () => {
    expect(ends).toEqual(['waiting', 'waiting'])
  })

  it('hides a mission from every use case of another tenant, as if there were none', async () => {
    const { missions } = world
    const { questions = [] } = await readMission(missions, world.caller, mine)
    const answer = { questionId: questions[0]?.questionId ?? '', answer: 'x' }
    const attempts = [
      () => readMission(missions, OTHER, mine),
      () => readJournal(missions, OTHER, mine, { after: 0, limit: 10 }),
      () => listFiles(missions, OTHER, mine),
      () => readFile(missions, OTHER, mine, 'a.txt'),
      () => cancelMission(missions, OTHER, mine, undefined),
      () => answerQuestion(missions, OTHER, mine, answer),
    ]
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'not_found' })
    expect(await world.row(mine)).toMatchObject({ status: 'waiting', inbox: 0 })
  })

  it('gives each its own list', async () => {
    const list = async (caller: Caller) =>
      (await listMissions(world.missions, caller, { limit: 10 })).items.map(({ id }) => id)
    expect(await list(world.caller)).toEqual([mine])
    expect(await list(OTHER)).toEqual([theirs])
  })

  it('stands around every table that holds a tenant’s data', async () => {
    const tables = await world.sql<{ name: string }>(
      `select table_name as name from information_schema.columns
       where table_schema = 'taskforce' and column_name = 'tenant_id'`,
    )
    expect(tables.length).toBeGreaterThan(4)
    for (const { name } of tables) {
      const seen = await inTenant(world.missions.databases.api, OTHER.tenantId, (tx) =>
        tx.query<{ tenant_id: string }>(`select distinct tenant_id from taskforce.${name}`),
      )
      expect(new Set(seen.rows.map((row) => row.tenant_id))).not.toContain(world.caller.tenantId)
    }
  })

  it('lets nobody write a row for another tenant, or change one', async () => {
    const { api } = world.missions.databases
    const foreign = inTenant(api, OTHER.tenantId, (tx) =>
      send(tx, [storeContent(world.caller.tenantId, '0'.repeat(64), Buffer.from('x'))]),
    )
    await expect(foreign).rejects.toThrow(/row-level security/)
    const changed = await inTenant(api, OTHER.tenantId, (tx) => tx.query(`update taskforce.missions set goal = 'x'`))
    expect(changed.rowCount).toBe(1)
    expect(await world.sql('select goal from taskforce.missions where id = $1', [mine])).toEqual([{ goal: 'Mine' }])
  })

  it('keeps the same bytes of two tenants apart', async () => {
    expect(await world.sql('select from taskforce.contents')).toHaveLength(2)
    const [content] = await world.sql<{ sha256: string }>('select sha256 from taskforce.contents')
    const read = (tenantId: string) =>
      inTenant(world.missions.databases.api, OTHER.tenantId, (tx) => readContent(tx, tenantId, content?.sha256 ?? ''))
    expect(await read(OTHER.tenantId)).toEqual(file.bytes)
    expect(await read(world.caller.tenantId)).toBeUndefined()
  })

  it('is not left standing open for the next user of a connection', async () => {
    const { api } = world.missions.databases
    await inTenant(api, OTHER.tenantId, (tx) => tx.query('select'))
    await expect(inTenant(api, OTHER.tenantId, () => Promise.reject(new Error('rolled back')))).rejects.toThrow(
      'rolled back',
    )
    const { rows } = await api.query<{ tenant: string; role: string }>(
      `select coalesce(current_setting('app.tenant', true), '') as tenant, current_user as role`,
    )
    expect(rows).toEqual([{ tenant: '', role: 'taskforce_api' }])
  })

  it('that could not begin lets nothing behind it through: no row is seen, none is changed', async () => {
    await world.create()
    const { api } = world.missions.databases
    const seen: unknown[] = []
    // The server refuses the text before it runs: as it does when a cancel comes at that moment.
    const refused = inTenant(api, 'x\0', async (tx) => {
      await Promise.allSettled([
        tx.query('select from taskforce.missions').then(({ rowCount }) => seen.push(rowCount)),
        tx.query('update taskforce.missions set priority = 77').then(({ rowCount }) => seen.push(rowCount)),
      ])
    })
    await expect(refused).rejects.toThrow(/invalid|unterminated|NUL|null|syntax/i)
    expect(seen).toEqual([])
    expect(await world.sql('select from taskforce.missions where priority = 77')).toEqual([])
  })
})

it('a login whose URL has options of its own waits for each begin', () => {
  const open = (url: string) =>
    createDatabases({ url, pooler: undefined, onError: () => undefined }).api.options.pipeline
  expect(open('postgresql://u@127.0.0.1:1/d')).toBe(true)
  expect(open('postgresql://u@127.0.0.1:1/d?options=-c%20search_path%3Dx')).not.toBe(true)
})

describe('a transaction whose connection ends', () => {
  it('fails by itself, and leaves the process and the pool as they were', async () => {
    const { api } = world.missions.databases
    let ended = false
    const broken = inTenant(api, OTHER.tenantId, async (tx) => {
      const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
      tx.on('end', () => (ended = true))
      await withConnection(world.database.appUrl, (other) =>
        other.query('select pg_terminate_backend($1)', [rows[0]?.pid]),
      )
      await until(() => ended)
      await tx.query('select 1')
    })
    await expect(broken).rejects.toSatisfy(isConnectionError)
    expect(await inTenant(api, OTHER.tenantId, (tx) => tx.query('select 1 as n'))).toMatchObject({ rows: [{ n: 1 }] })
  })
})

describe('a client’s key for a request', () => {
  it('belongs to the first of ten requests, and to one tenant', async () => {
    const claim = (caller: Caller, missionId: string) =>
      inTenant(world.missions.databases.api, caller.tenantId, (tx) =>
        claimKey(tx, { tenantId: caller.tenantId, key: 'k', fingerprint: 'f', missionId }),
      )
    const ids = Array.from({ length: 10 }, (_, n) => `00000000-0000-7000-8000-00000000001${n}`)
    const owners = await Promise.all(ids.map((id) => claim(world.caller, id)))
    expect(owners.filter((owner) => owner === undefined)).toHaveLength(1)
    const winner = ids[owners.indexOf(undefined)]
    expect(new Set(owners.map((owner) => owner?.missionId ?? winner))).toEqual(new Set([winner]))
    expect(await claim(OTHER, ids[0] as string)).toBeUndefined()
  })
})
