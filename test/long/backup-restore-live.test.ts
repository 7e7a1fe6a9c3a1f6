import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { restore, type RestoreRequest, type Stage } from '../../src/backup/restore/restore.ts'
import { isRestoreRefusal } from '../../src/backup/restore/refusals.ts'
import { readDrain } from '../../src/db/queries/drain.ts'
import { beat, leave } from '../../src/db/queries/instances.ts'
import { sendMessage } from '../../src/missions/send-message.ts'
import { event } from '../support/journal.ts'
import { takeBackup } from '../support/taken-backups.ts'
import {
  appendAlone,
  callTools,
  claimOne,
  createWorld,
  gate,
  say,
  script,
  tool,
  until,
  type World,
} from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'
import { withConnection } from '../support/postgres.ts'

let world: World
let door = gate()
const made: string[] = []
beforeEach(async () => {
  door = gate()
  made.length = 0
  const charge = tool('charge', async (_, { key }) => (made.push(key), await door.pass(), 'charged'), {
    effect: 'once',
  })
  world = await createWorld([tool('look', async () => (await door.pass(), 'seen')), charge])
})
afterEach(async () => {
  vi.useRealTimers()
  door.open()
  await world.stop()
})

const backup = () => takeBackup(world.database.appUrl)

async function restoreFrom(
  { manifest, chunks }: Awaited<ReturnType<typeof backup>>,
  over: Partial<RestoreRequest> = {},
) {
  const request = { manifest, chunks: chunks(), replace: true, waitForLeasesMs: 500, effects: undefined }
  return restore({ ...request, url: world.database.ownerUrl, ...over })
}

const drain = () => readDrain(world.missions.databases.engine)

describe('a restore over a deployment that is at work', () => {
  it('is refused while a lease lives, and names whose; the deployment goes on', async () => {
    const id = await world.create()
    const taken = await backup()
    const one = world.engine()
    await beat(one.db, { id: one.instance, version: '0', host: 'ship' }, 30)
    await claimOne(one.db, one.instance)
    const error: unknown = await restoreFrom(taken).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'leases_live',
      message: expect.stringContaining(`${one.instance} on ship (1)`),
    })
    expect(isRestoreRefusal(error)).toBe(true)
    expect(await drain()).toBeUndefined()
    expect(await world.row(id)).toMatchObject({ owner: one.instance, epoch: 1 })
    await leave(one.db, one.instance)
    expect(await restoreFrom(taken)).toMatchObject({ generation: 1 })
  })

  it('waits until its drain has let go of what runs, and the missions go on after it to their end', async () => {
    const id = await world.create('First')
    const taken = await backup()
    holdPolls()
    const one = world.engine({ model: script(callTools(['look']), say('Done')) })
    let end: string | undefined
    void one.engine.runOne().then((slice) => (end = slice?.end))
    await door.reached
    const restoring = restoreFrom(taken, { waitForLeasesMs: 20_000 })
    await pollUntil(() => end !== undefined)
    expect(end).toBe('handed-over')
    expect(await restoring).toMatchObject({ generation: 1, revisionBefore: 3 })
    vi.useRealTimers()
    door.open()
    expect(await world.types(id)).toEqual(['mission.created'])
    expect(await one.run()).toEqual(['ended'])
    expect(await world.row(id)).toMatchObject({ status: 'completed' })
    expect((await world.events(id)).map(({ epoch }) => epoch > 1_000_000)).toEqual([
      false,
      true,
      true,
      true,
      true,
      true,
    ])
    expect(await drain()).toBeUndefined()
  })

  it('waits for a call that acts once', async () => {
    await world.create()
    const taken = await backup()
    holdPolls()
    const one = world.engine({ model: script(callTools(['charge'])) })
    const running = one.engine.runOne()
    await door.reached
    const stages: Stage[] = []
    const restoring = restoreFrom(taken, { waitForLeasesMs: 20_000, onStage: (stage) => stages.push(stage) })
    await pollUntil(async () => (await drain()) !== undefined)
    const polls = () => one.statements.filter((name) => name === 'control_poll').length
    const before = polls()
    // The third is asked when the first two have been answered.
    await pollUntil(() => polls() >= before + 3)
    expect(stages).toEqual(['stop'])
    door.open()
    expect(await running).toMatchObject({ end: 'handed-over' })
    await restoring
    expect(made).toHaveLength(1)
  })

  it('finds the claim that was on its way when the drain was set', async () => {
    const id = await world.create()
    const taken = await backup()
    const one = world.engine()
    await beat(one.db, { id: one.instance, version: '0', host: 'ship' }, 30)
    await withConnection(world.database.ownerUrl, async (claiming) => {
      // It took its snapshot before the drain, and commits between the last look and the lock.
      await claiming.query('begin')
      await claiming.query('update taskforce.missions set owner = $1 where id = $2', [one.instance, id])
      let committed: Promise<unknown> | undefined
      const onStage = (stage: Stage) => {
        if (stage === 'lock') committed = claiming.query('commit')
      }
      await expect(restoreFrom(taken, { onStage })).rejects.toMatchObject({ code: 'leases_live' })
      await committed
    })
    expect(await drain()).toBeUndefined()
  })

  it('keeps out who stood still meanwhile, whatever it still wants to write', async () => {
    const id = await world.create()
    const zombie = world.engine()
    await beat(zombie.db, { id: zombie.instance, version: '0', host: 'ship' }, 30)
    const claim = await claimOne(zombie.db, zombie.instance)
    const taken = await backup()
    await world.expire(zombie.instance)
    await restoreFrom(taken)
    const said = event('mission.message', { role: 'user', content: 'x', by: 'x' })
    const lease = { missionId: id, epoch: claim?.epoch ?? 0, instance: zombie.instance }
    const change = { status: 'completed', wakeInSeconds: null, release: true, ended: true }
    await beat(zombie.db, { id: zombie.instance, version: '0', host: 'ship' }, 30)
    expect(await appendAlone(zombie.db, lease, 2, [said])).toBeUndefined()
    expect(await appendAlone(zombie.db, lease, 2, [], change)).toBeUndefined()
    expect(await world.engine().run()).toEqual(['ended'])
    // The next lease has the epoch above all that can have been given out, also for the instance itself.
    expect((await world.row(id)).epoch).toBe(1_000_002)
    expect(await appendAlone(zombie.db, { ...lease, epoch: 2 }, 9, [said])).toBeUndefined()
  })

  it('lets connections of before go on with the restored schema', async () => {
    const id = await world.create()
    const taken = await backup()
    const one = world.engine({ model: script(say('Done')) })
    await sendMessage(world.missions, world.caller, id, 'lost')
    await restoreFrom(taken)
    await sendMessage(world.missions, world.caller, id, 'kept')
    expect(await one.run()).toEqual(['ended'])
    const messages = (await world.events(id)).flatMap(({ type, data }) =>
      type === 'mission.message' ? [data.content] : [],
    )
    expect(messages).toEqual(['kept'])
  })

  it('twice from one backup gives out epochs that nobody had in between', async () => {
    const id = await world.create()
    const taken = await backup()
    await restoreFrom(taken)
    const one = world.engine()
    await beat(one.db, { id: one.instance, version: '0', host: 'ship' }, 0)
    const first = await claimOne(one.db, one.instance)
    await until(async () => (await world.sql('select from taskforce.instances where alive_until < now()')).length === 1)
    expect(await restoreFrom(taken)).toMatchObject({ generation: 2 })
    expect([first?.epoch, (await world.row(id)).epoch]).toEqual([1_000_001, 2_000_000])
  })
})
