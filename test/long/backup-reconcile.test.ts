import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { reconcile } from '../../src/backup/restore/reconcile.ts'
import { restore } from '../../src/backup/restore/restore.ts'
import { connectEffects, createBlobEffects } from '../../src/engine/blob-effects.ts'
import { createBlobClaims, type EffectClaims } from '../../src/engine/effect-claims.ts'
import type { Effects } from '../../src/engine/ports.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { branchMission } from '../../src/missions/branch-mission.ts'
import { pauseMission, resumeMission } from '../../src/missions/pause-mission.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import type { ModelMessage } from '../../src/models/model.ts'
import { digestOf, listedClaims, takeBackup, type TakenBackup } from '../support/taken-backups.ts'
import { callTools, createWorld, gate, say, script, tool, type Script, type World } from '../support/engine.ts'

let folder = ''
let azurite: LocalAzurite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-claims-'))
  azurite = await startAzurite({ dataDir: folder })
}, 90_000)
afterAll(async () => {
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

let world: World
let effects: Effects
let claims: EffectClaims
const made: string[] = []

beforeEach(async () => {
  made.length = 0
  const charge = tool('charge', (_, { key }) => (made.push(key), 'charged'), { effect: 'once' })
  world = await createWorld([charge, tool('look', () => 'seen')])
  const connect = () => connectEffects({ kind: 'connection-string' }, azurite.connectionString)
  effects = createBlobEffects(connect)
  claims = createBlobClaims(connect)
})
afterEach(async () => {
  await (await connectEffects({ kind: 'connection-string' }, azurite.connectionString)).deleteIfExists()
  await world.stop()
})

const run = (model: Script, over: object = {}) => world.engine({ model, over: () => ({ effects, ...over }) }).run()

/** Once more at this call, to a model that keeps what it hears. */
function hearing(heard: ModelMessage[][], answers: Script): Script {
  return (messages, signal) => (heard.push(messages), answers(messages, signal))
}

const charge = callTools(['charge', { card: '4711' }])

function restoreFrom({ manifest, chunks }: TakenBackup, over: Partial<Parameters<typeof restore>[0]> = {}) {
  const request = { manifest, chunks: chunks(), replace: true, waitForLeasesMs: 500, effects: claims }
  return restore({ ...request, url: world.database.ownerUrl, ...over })
}

const reconcileNow = () => reconcile({ url: world.database.ownerUrl, waitForLeasesMs: 500, effects: claims })

const mission = (id: string) => readMission(world.missions, world.caller, id)

async function dataOf(id: string, type: string): Promise<unknown[]> {
  return (await world.events(id)).filter((event) => event.type === type).map(({ data }) => data)
}

describe('a call that acts once and was made after the backup', () => {
  it('is told to the model and to a person where the answer that asked for it is forgotten, and the mission rests', async () => {
    const id = await world.create()
    const taken = await takeBackup(world.database.appUrl)
    await run(script(charge))
    const report = await restoreFrom(taken)
    expect(report).toMatchObject({ unknownEffects: 1, effects: { unknown: [{ missionId: id, key: '3.0' }] } })
    expect(await world.types(id)).toEqual(['mission.created', 'tool.unknown', 'mission.message', 'mission.paused'])
    expect(await mission(id)).toMatchObject({ status: 'paused', lastSeq: 4, usage: { steps: 0 } })
    const [paused] = (await dataOf(id, 'mission.paused')) as { by: string; reason: string }[]
    expect(paused?.by).toBe('restore')
    for (const word of ['charge (call 3.0)', 'by the instance', taken.manifest.name, `mission -- resume ${id}`]) {
      expect(paused?.reason).toContain(word)
    }
    expect(await run(script(charge))).toEqual([])
    await resumeMission(world.missions, world.caller, id, undefined)
    const heard: ModelMessage[][] = []
    expect(await run(hearing(heard, script(say('I would have charged, but ask first.'))))).toEqual(['ended'])
    const last = heard[0]?.at(-1)
    expect(last).toMatchObject({ role: 'user', content: expect.stringContaining('Do not make such a call again') })
    expect(last?.content).toContain('- charge, begun at')
    expect(made).toHaveLength(1)
  })

  it('is not made where the answer that asked for it is known, whatever the model would do, and ends as the profile says', async () => {
    const id = await world.create()
    const door = gate()
    const claim: Effects['claim'] = async (begin, signal) => (await door.pass(), effects.claim(begin, signal))
    // The answer is recorded, and the call is not begun: its backup is of just then.
    let taken: TakenBackup | undefined
    const append = world.engine({
      model: script(charge),
      over: ({ journal }) => ({
        effects: { claim },
        journal: {
          ...journal,
          append: async (...given) => {
            if (given[2].some(({ type }) => type === 'tool.started')) taken = await takeBackup(world.database.appUrl)
            return journal.append(...given)
          },
        },
      }),
    })
    door.open()
    expect(await append.run()).toEqual(['ended'])
    if (taken === undefined) throw new Error('There is no backup')
    expect(made).toHaveLength(1)
    await world.expire(append.instance)
    expect(await restoreFrom(taken)).toMatchObject({ unknownEffects: 1 })
    expect((await world.types(id)).slice(2)).toEqual(['model.answered', 'tool.unknown', 'mission.paused'])
    await resumeMission(world.missions, world.caller, id, undefined)
    const heard: ModelMessage[][] = []
    await run(hearing(heard, script(charge, say('It may have happened.'))))
    expect(heard[0]?.at(-1)).toMatchObject({
      role: 'tool',
      content: expect.stringContaining('outcome of this call is unknown'),
    })
    expect(heard[0]?.at(-1)?.content).toContain('was then set back to the backup')
    expect(await mission(id)).toMatchObject({ status: 'completed' })
    expect(made).toHaveLength(1)
  })

  it('is known in a fork’s journal by the fork’s own key', async () => {
    const id = await world.create()
    let forked = ''
    const fork = async () => {
      forked = (await branchMission(world.missions, world.caller, id, { how: 'fork', content: 'And charge.' })).mission
        .id
    }
    await run(script(callTools(['look'])))
    await fork()
    const taken = await takeBackup(world.database.appUrl)
    await run((messages) => (messages.at(-1)?.content === 'And charge.' ? charge : say('Done')))
    expect(made).toHaveLength(1)
    const report = await restoreFrom(taken)
    expect(report.effects?.unknown).toMatchObject([{ missionId: forked, by: { tool: 'charge' } }])
    expect((await world.types(forked)).slice(-2)).toEqual(['mission.message', 'mission.paused'])
    expect(await mission(id)).toMatchObject({ status: 'completed' })
  })

  it('finds a mission that somebody paused already, and one of several calls, each said once', async () => {
    const id = await world.create()
    await pauseMission(world.missions, world.caller, id, 'lunch')
    const taken = await takeBackup(world.database.appUrl)
    await resumeMission(world.missions, world.caller, id, undefined)
    await run(script(callTools(['charge', { n: 1 }], ['charge', { n: 2 }], ['charge', { n: 3 }])))
    expect(made).toHaveLength(3)
    expect(await restoreFrom(taken)).toMatchObject({ unknownEffects: 3 })
    const unknown = ['tool.unknown', 'tool.unknown', 'tool.unknown']
    expect((await world.types(id)).slice(1)).toEqual(['mission.paused', ...unknown, 'mission.message'])
    const [{ content }] = (await dataOf(id, 'mission.message')) as [{ content: string }]
    expect(content.match(/^- charge/gm)).toHaveLength(3)
    expect(await mission(id)).toMatchObject({ status: 'paused', lastSeq: 6 })
  })

  it('of a mission that is not in the backup is told in the report alone', async () => {
    const taken = await takeBackup(world.database.appUrl)
    const id = await world.create()
    await run(script(charge))
    const report = await restoreFrom(taken)
    expect(report).toMatchObject({
      unknownEffects: 0,
      effects: { strangers: [{ missionId: id, by: { tool: 'charge' } }] },
    })
  })

  it('is no matter where its mission was taken away long before the backup, or its journal knows it', async () => {
    const id = await world.create()
    await run(script(charge))
    const old = { missionId: uuidv7(), key: '3.0', madeAt: new Date(Date.now() - 3_600_000) }
    const taken = await takeBackup(world.database.appUrl)
    const listed = listedClaims([
      old,
      { missionId: id, key: (await world.events(id))[3]?.data['key'] as string, madeAt: undefined },
    ])
    expect((await restoreFrom(taken, { effects: listed })).effects).toEqual({
      unknown: [],
      ended: [],
      strangers: [],
      unreadable: [],
    })
  })

  it('of a mission that has ended, or whose journal nobody can read, is told and not recorded', async () => {
    const ended = await world.create()
    await run(script(say('Done')))
    const broken = await world.create()
    await world.sql(`update taskforce.events set type = 'mission.imagined' where mission_id = $1`, [broken])
    const taken = await takeBackup(world.database.appUrl)
    const listed = listedClaims([ended, broken].map((missionId) => ({ missionId, key: '9.0', madeAt: undefined })))
    const report = await restoreFrom(taken, { effects: listed })
    expect(report.effects).toMatchObject({
      ended: [{ missionId: ended, by: undefined }],
      unreadable: [{ missionId: broken }],
    })
    expect(await world.types(ended)).toHaveLength(4)
  })
})

describe('a reconcile after somebody else has set the database back', () => {
  it('does the same once, and nothing the second time but another generation', async () => {
    const id = await world.create()
    await run(script(charge))
    await world.sql('delete from taskforce.events where mission_id = $1 and seq > 2', [id])
    await world.sql(
      `update taskforce.missions set status = 'running', ended_at = null, wake_at = now() where id = $1`,
      [id],
    )
    expect(await reconcileNow()).toMatchObject({ unknownEffects: 1, generation: 1, rows: 0, revisionBefore: 3 })
    const types = ['mission.created', 'mission.started', 'tool.unknown', 'mission.message', 'mission.paused']
    expect(await world.types(id)).toEqual(types)
    expect(await mission(id)).toMatchObject({ status: 'paused' })
    expect(await reconcileNow()).toMatchObject({ unknownEffects: 0, generation: 2 })
    expect(await world.types(id)).toEqual(types)
    expect((await world.row(id)).epoch).toBe(2_000_001)
  })

  it('reads no claims where there is no storage yet, and changes nothing where it can’t be read', async () => {
    expect(await reconcileNow()).toMatchObject({ unknownEffects: 0 })
    const before = await digestOf(world.database.ownerUrl)
    const wrongKey = azurite.connectionString.replace(/AccountKey=[^;]*;/, 'AccountKey=bm90IHRoZSBrZXk=;')
    const refused = createBlobClaims(() => connectEffects({ kind: 'connection-string' }, wrongKey))
    const error: unknown = await reconcile({
      url: world.database.ownerUrl,
      waitForLeasesMs: 500,
      effects: refused,
    }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'effects_unreadable', hint: expect.stringContaining('JOBS_STORAGE') })
    expect(String(error)).not.toMatch(/devstoreaccount1|bm90/)
    expect(await digestOf(world.database.ownerUrl)).toEqual(before)
  })
})
