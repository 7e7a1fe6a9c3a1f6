import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RetryableError } from '../../src/domain/errors.ts'
import { callTools, createWorld, gate, script, tool, until, type Script, type World } from '../support/engine.ts'
import { withConnection } from '../support/postgres.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

let world: World
let proxy: TcpProxy
let runs = 0

beforeEach(async () => {
  runs = 0
  const count = tool('count', () => `run ${++runs}`)
  world = await createWorld([count, tool('charge', () => `charge ${++runs}`, { effect: 'once' })])
  proxy = await startTcpProxy(world.database.appUrl)
})
afterEach(async () => {
  await proxy.stop()
  await world.stop()
})

const model = script(callTools(['count'], ['count']), callTools(['charge']))
const whole = [
  'mission.created',
  'mission.started',
  'model.answered',
  'tool.finished',
  'tool.finished',
  'model.answered',
  'tool.started',
  'tool.finished',
  'model.answered',
  'mission.completed',
]
/** What a model that fails at first leaves before it is waited for. */
const failedOnce = ['mission.created', 'mission.started', 'model.failed']
const busy: Script = () => {
  throw new RetryableError('model_unavailable', 'Busy')
}

const scenes: [type: string, model: Script, types: string[], end: string][] = [
  ...[...new Set(whole.slice(2))].map((type): (typeof scenes)[0] => [type, model, whole, 'ended']),
  ['model.failed', busy, failedOnce, 'waiting'],
]

/** The statement's parameters stand in the request as text: one behind its length, several as an array. */
function carrying(type: string): (request: Buffer) => boolean {
  const alone = Buffer.concat([Buffer.from([0, 0, 0, type.length]), Buffer.from(type)])
  return (request) => request.includes(alone) || request.includes(`"${type}"`)
}
const naming = (statement: string) => (request: Buffer) => request.includes(statement)

describe('a connection that breaks', () => {
  it.each(scenes)('after the commit and before its answer records %s once', async (type, answers, types, end) => {
    const id = await world.create()
    const { run } = world.engine({ model: answers, url: proxy.url })
    const cut = proxy.cut('answer', carrying(type))
    expect(await run()).toEqual([end])
    await cut
    expect(await world.types(id)).toEqual(types)
    expect(runs).toBe(types.filter((one) => one === 'tool.finished').length)
    expect(await world.row(id)).toMatchObject({ owner: null, epoch: 1 })
  })

  it.each(scenes)('while the server still holds the statement records %s once', async (type, answers, types, end) => {
    const id = await world.create()
    const door = gate()
    const { run } = world.engine({
      model: answers,
      url: proxy.url,
      over: ({ journal }) => ({
        journal: {
          ...journal,
          append: async (...args) => {
            if (args[2].some((event) => event.type === type)) await door.pass()
            return journal.append(...args)
          },
        },
      }),
    })
    const cut = proxy.cut('request', carrying(type))
    await withConnection(world.database.ownerUrl, async (locker) => {
      const running = run()
      await door.reached
      // Readers get through, writers wait: the first statement is still under way when the second one comes.
      await locker.query('begin; lock table taskforce.events in share row exclusive mode')
      door.open()
      await cut
      const waiting = `select from pg_locks where relation = 'taskforce.events'::regclass and not granted`
      await until(async () => ((await locker.query(waiting)).rowCount ?? 0) >= 2)
      await locker.query('commit')
      expect(await running).toEqual([end])
    })
    expect(await world.types(id)).toEqual(types)
    expect(runs).toBe(types.filter((one) => one === 'tool.finished').length)
  })

  it('after a claim leaves a mission that its owner finds and gives up', async () => {
    const id = await world.create()
    const one = world.engine({ model, url: proxy.url })
    const cut = proxy.cut('answer', naming('claim_missions'))
    await expect(one.engine.runOne()).rejects.toThrow(/terminated|reset/i)
    await cut
    expect(await world.row(id)).toMatchObject({ owner: one.instance, epoch: 1 })
    expect(await one.engine.runOne()).toBeUndefined()
    await until(() => one.wakes.sent.length > 0)
    expect(await one.run()).toEqual(['ended'])
    expect(await world.types(id)).toEqual(whole)
  })

  it('after a release leaves a mission that waits, as it should', async () => {
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['wait', { seconds: 3600 }])), url: proxy.url })
    const cut = proxy.cut('answer', carrying('waiting'))
    expect(await one.engine.runOne()).toEqual({ missionId: id, end: 'waiting' })
    await cut
    expect(await world.row(id)).toMatchObject({ status: 'waiting', owner: null })
    await world.letTimePass(id, 3_601_000)
    expect(await one.run()).toEqual(['ended'])
    expect((await world.types(id)).filter((type) => type === 'timer.fired')).toHaveLength(1)
  })
})

describe('a server that ends connections at random moments', () => {
  it('loses no event and repeats none', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, (_, n) => world.create(`goal ${n}`)))
    // Two at a time: with all six in one flush there would be little to strike at.
    const { engine, db } = world.engine({ model, concurrency: 2 })
    const query = db.query.bind(db) as (...args: unknown[]) => unknown
    let appends = 0
    const strikes: Promise<void>[] = []
    db.query = ((statement: { name?: string }, ...rest: unknown[]) => {
      // Not waited for, so that it strikes before, in and after the statement.
      if (statement.name?.startsWith('append') && ++appends % 2 === 0) strikes.push(endConnections())
      return query(statement, ...rest)
    }) as typeof db.query

    await Promise.allSettled(ids.map(() => engine.runOne()))
    await until(async () => {
      await engine.runOne().catch(() => undefined)
      return (await world.sql(`select from taskforce.missions where status <> 'completed'`)).length === 0
    })
    await Promise.all(strikes)
    for (const id of ids) {
      const types = await world.types(id)
      // A tool that acts once may be cut off by the death of its slice; everything else is there exactly once.
      const expected = types.includes('tool.unknown') ? whole.toSpliced(7, 1, 'tool.unknown') : whole
      expect(types).toEqual(expected)
    }
    expect(strikes.length).toBeGreaterThan(5)
    const gaps = 'select mission_id from taskforce.events group by mission_id having max(seq) <> count(*)'
    expect(await world.sql(gaps)).toEqual([])
  })

  async function endConnections(): Promise<void> {
    await withConnection(world.database.appUrl, (client) =>
      client.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'taskforce-engine'`),
    )
  }
})
