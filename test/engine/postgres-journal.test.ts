import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EngineDb } from '../../src/db/connection.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import type { Lease } from '../../src/engine/ports.ts'
import { claimOne, createWorld, type World } from '../support/engine.ts'
import { event, finished } from '../support/journal.ts'

let world: World
let db: EngineDb
let lease: Lease

beforeEach(async () => {
  world = await createWorld()
  db = world.missions.databases.engine
  const missionId = await world.create()
  const instance = randomUUID()
  lease = { missionId, instance, epoch: (await claimOne(db, instance))?.epoch ?? 0 }
})
afterEach(() => world.stop())

const result = finished('c0', 'mine')
const clock = { monotonic: () => 0, sleep: async () => undefined }

/** Another writer's event with number 3. */
async function write(epoch: number, draft = finished('c0', 'theirs')): Promise<void> {
  await world.sql(
    `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id) values ($1, 3, $2, 1, $3, $4, $5)`,
    [lease.missionId, epoch, draft.type, draft.data, world.caller.tenantId],
  )
}

/** A database whose connection breaks so many times before a statement is sent. */
function breaking(times: number): EngineDb {
  const query = (...args: unknown[]) => {
    if (times-- > 0) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    return (db.query as (...given: unknown[]) => unknown)(...args)
  }
  return { query } as unknown as EngineDb
}

describe('an append whose connection broke', () => {
  it('is sent again until it is recorded', async () => {
    const appended = await createJournal(breaking(5), clock).append(lease, 2, [result])
    expect(appended).toMatchObject({ kind: 'recorded', recorded: [{ seq: 3, type: 'tool.finished' }] })
    expect(await world.types(lease.missionId)).toEqual(['mission.created', 'mission.started', 'tool.finished'])
  })

  it('finds what it recorded itself, as it was recorded', async () => {
    await createJournal(db, clock).append(lease, 2, [finished('c0', 'a\u0000b')])
    const again = await createJournal(breaking(1), clock).append(lease, 2, [finished('c0', 'a\u0000b')])
    expect(again).toMatchObject({ kind: 'recorded', recorded: [{ seq: 3, data: { output: 'a\ufffdb' } }] })
  })

  it('does not take the event of an earlier owner for its own', async () => {
    await write(lease.epoch - 1)
    expect(await createJournal(breaking(1), clock).append(lease, 2, [result])).toEqual({ kind: 'conflict' })
  })

  it('does not take an event from outside for its own', async () => {
    await write(lease.epoch, event('question.answered', { questionId: 'q', answer: 1, by: 'x' }))
    expect(await createJournal(breaking(1), clock).append(lease, 2, [result])).toEqual({ kind: 'conflict' })
  })

  it('knows that the lease is gone', async () => {
    const stale = { ...lease, epoch: lease.epoch - 1 }
    expect(await createJournal(breaking(1), clock).append(stale, 2, [result])).toEqual({ kind: 'lost' })
  })

  it('ends with the error when the database does not come back', async () => {
    const waits: number[] = []
    const patient = { ...clock, sleep: async (ms: number) => void waits.push(ms) }
    await expect(createJournal(breaking(100), patient).append(lease, 2, [result])).rejects.toThrow('ECONNRESET')
    expect(waits.reduce((sum, ms) => sum + ms)).toBeGreaterThan(25_000)
    expect(await world.types(lease.missionId)).toEqual(['mission.created', 'mission.started'])
  })
})
