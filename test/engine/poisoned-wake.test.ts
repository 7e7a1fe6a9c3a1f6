import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { beat } from '../../src/db/queries/instances.ts'
import type { EngineDb } from '../../src/db/connection.ts'
import { takeUpPoisoned } from '../../src/engine/poisoned-wake.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { claimOne, createWorld, recordTelemetry, recordWakes, type TestEngine, type World } from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'

let world: World
let db: EngineDb
beforeEach(async () => {
  world = await createWorld()
  db = world.missions.databases.engine
})
afterEach(async () => {
  vi.useRealTimers()
  await world.stop()
})

/** What was logged, and the wakes that were sent. */
async function poisoned(message: unknown, over: Partial<Parameters<typeof takeUpPoisoned>[0]> = {}) {
  const told: TestEngine['told'] = {}
  const wakes = recordWakes()
  await takeUpPoisoned({ db, wakes, telemetry: recordTelemetry(told), ...over }, message)
  const [logged] = told.poisoned ?? []
  return { logged: logged?.[0], sent: wakes.sent, told }
}

describe('a mission that a defect hits each time', () => {
  it('ends as a crash loop after five tries, without a wake, and says so in its journal', async () => {
    holdPolls()
    const id = await world.create()
    let tries = 0
    const one = world.engine({
      model: () => {
        tries++
        throw new TypeError('a defect of the model client')
      },
    })
    await expect(one.engine.runOne()).rejects.toThrow('a defect')
    await pollUntil(async () => (await world.row(id)).status === 'failed')
    expect(tries).toBe(5)
    expect(await world.types(id)).toEqual(['mission.created', 'mission.started', 'mission.failed'])
    expect((await world.events(id)).at(-1)?.data).toMatchObject({ code: 'crash_loop' })
    expect((await poisoned({ missionId: id })).logged).toMatchObject({ missionId: id, status: 'failed', crashes: 5 })
  })
})

describe('a wake that failed five times', () => {
  it('is followed by a fresh one for a mission that nobody works on, and tells how that stands', async () => {
    const id = await world.create()
    for (let death = 1; death <= 3; death++) await claimOne(db, randomUUID())
    const { logged, sent } = await poisoned({ missionId: id })
    expect(logged).toEqual({ missionId: id, status: 'running', crashes: 2, next: 'a fresh wake in 60 s' })
    expect(sent).toEqual([{ missionId: id, inSeconds: 60 }])
  })

  it('needs no other where a living instance owns the mission', async () => {
    const id = await world.create()
    const instance = randomUUID()
    await beat(db, { id: instance, version: '0', host: 'test' }, 30)
    await claimOne(db, instance)
    const { logged, sent } = await poisoned({ missionId: id })
    expect(logged).toMatchObject({ missionId: id, status: 'running', crashes: 0 })
    expect(sent).toEqual([])
  })

  it('needs no other where the mission has ended', async () => {
    const id = await world.create()
    await cancelMission(world.missions, world.caller, id, undefined)
    const { logged, sent } = await poisoned({ missionId: id })
    expect(logged).toMatchObject({ missionId: id, status: 'cancelled', next: 'nothing: the mission has ended' })
    expect(sent).toEqual([])
  })

  it('for a mission that is not there is only told', async () => {
    const missionId = randomUUID()
    const { logged, sent } = await poisoned({ missionId })
    expect(logged).toEqual({ missionId, next: 'nothing: there is no such mission' })
    expect(sent).toEqual([])
  })

  it.each([['text'], [undefined], [{ missionId: 'no id' }]])(
    'and is none at all (%j) is only told',
    async (message) => {
      const { logged, sent } = await poisoned(message)
      expect(logged).toMatchObject({ next: 'nothing: it is no wake' })
      expect(sent).toEqual([])
    },
  )

  it('is followed by a fresh one where the database does not answer', async () => {
    const missionId = randomUUID()
    const away = { query: () => Promise.reject(new Error('away')) } as unknown as EngineDb
    const { logged, sent, told } = await poisoned({ missionId }, { db: away })
    expect(logged).toMatchObject({ missionId, next: expect.stringContaining('could not be read') })
    expect(sent).toEqual([{ missionId, inSeconds: 60 }])
    expect(told.databaseError).toHaveLength(1)
  })

  it('is told where no fresh one can be sent, and does not fail again', async () => {
    const id = await world.create()
    const wakes = { send: () => Promise.reject(new Error('no queue')) }
    const { told } = await poisoned({ missionId: id }, { wakes })
    expect(told.wakeFailed).toMatchObject([[{ missionId: id }]])
  })
})
