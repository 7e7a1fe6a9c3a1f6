import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RetryableError } from '../../src/domain/errors.ts'
import type { EngineContext } from '../../src/engine/context.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import type { ModelMessage } from '../../src/models/model.ts'
import { claimOne, callTools, createWorld, gate, say, script, tool, until, type World } from '../support/engine.ts'
import { withConnection } from '../support/postgres.ts'

let world: World
afterEach(() => world.stop())

const goalOf = (messages: ModelMessage[]) => messages.find(({ role }) => role === 'user')?.content ?? ''

/** A heartbeat that works until it is blocked, and then neither succeeds nor fails. */
function blockableBeat({ missions }: EngineContext) {
  const state = { blocked: false }
  const never = new Promise<never>(() => undefined)
  return {
    block: () => (state.blocked = true),
    missions: {
      ...missions,
      beat: () => (state.blocked ? never : missions.beat()),
      poll: () => (state.blocked ? never : missions.poll()),
    },
  }
}

describe('several instances', () => {
  it('share thirty missions, and do each step once and one at a time', async () => {
    const working = new Set<string>()
    const done: string[] = []
    async function step(goal: string, name: string): Promise<void> {
      expect(working).not.toContain(goal)
      working.add(goal)
      await new Promise((resolve) => setTimeout(resolve, 1))
      working.delete(goal)
      done.push(`${goal}: ${name}`)
    }
    const act = tool('act', async ({ goal }) => (await step(String(goal), 'tool'), 'ok'))
    world = await createWorld([act])
    const goals = Array.from({ length: 30 }, (_, n) => `goal ${n}`)
    const ids = await Promise.all(goals.map((goal) => world.create(goal)))
    const model = async (messages: ModelMessage[], signal: AbortSignal) => {
      const goal = goalOf(messages)
      const answer = await script(callTools(['act', { goal }]))(messages, signal)
      await step(goal, `model ${messages.length}`)
      return answer
    }
    const engines = [world.engine({ model }), world.engine({ model })]
    const ends = await Promise.all(engines.flatMap((one) => [one.run(), one.run(), one.run(), one.run()]))

    expect(ends.flat()).toEqual(ids.map(() => 'ended'))
    const expected = goals.flatMap((goal) => [`${goal}: model 2`, `${goal}: tool`, `${goal}: model 4`])
    expect(done.sort()).toEqual(expected.sort())
    const rows = await world.sql<{ epoch: number }>('select epoch from taskforce.missions')
    expect(rows.map(({ epoch }) => epoch)).toEqual(ids.map(() => 1))
  })
})

describe('an instance', () => {
  it('keeps a mission for as long as it lives, however long a step takes', async () => {
    const door = gate()
    world = await createWorld([tool('slow', async () => (await door.pass(), 'slow'))])
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['slow'])), leaseMs: 900 })
    const running = one.run()
    await door.reached
    const [{ end } = { end: new Date() }] = await world.sql<{ end: Date }>(
      'select alive_until as end from taskforce.instances',
    )
    await until(async () => (await world.sql('select where now() > $1', [end])).length === 1)
    expect(await world.engine().engine.runOne()).toBeUndefined()
    door.open()
    expect(await running).toEqual(['ended'])
    expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 1 })
  })

  it('that was idle goes on beating when it gets a mission at the moment in which it would stop', async () => {
    const [claiming, working] = [gate(), gate()]
    world = await createWorld([tool('slow', async () => (await working.pass(), 'slow'))])
    let skipped = 0
    const one = world.engine({
      model: script(callTools(['slow'])),
      leaseMs: 600,
      over: ({ clock, missions }) => ({
        clock: { ...clock, monotonic: () => clock.monotonic() + skipped },
        missions: {
          ...missions,
          claim: async (most, suspect) => (skipped === 0 ? [] : (await claiming.pass(), missions.claim(most, suspect))),
        },
      }),
    })
    const aliveUntil = async () =>
      (await world.sql<{ end: Date }>('select alive_until as end from taskforce.instances'))[0]?.end.getTime() ?? 0
    await one.run()
    skipped = 40_000
    const id = await world.create()
    const running = one.run()
    await claiming.reached
    const atClaim = await aliveUntil()
    await until(async () => (await aliveUntil()) > atClaim)
    claiming.open()
    await working.reached
    const atWork = await aliveUntil()
    await until(async () => (await aliveUntil()) > atWork)
    working.open()
    await running
    expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 1 })
  })

  it('whose heartbeat is stuck stops its work when its lease is over, and another one goes on', async () => {
    let aborted = false
    const never = tool('never', (_, { signal }) => {
      signal.addEventListener('abort', () => (aborted = true))
      return new Promise(() => undefined)
    })
    world = await createWorld([never])
    const id = await world.create()
    const beats: (() => void)[] = []
    const one = world.engine({
      leaseMs: 600,
      model: () => {
        for (const block of beats) block()
        return callTools(['never'])
      },
      over: (context) => {
        const { block, missions } = blockableBeat(context)
        beats.push(block)
        return { missions }
      },
    })
    expect(await one.engine.runOne()).toEqual({ missionId: id, end: 'lost' })
    expect(aborted).toBe(true)

    const other = world.engine({
      model: script(say('unused'), say('Done by another')),
      over: () => ({ tools: new Map() }),
    })
    await until(async () => (await other.run()).length > 0)
    const events = await world.events(id)
    expect(events.map(({ type, epoch }) => [type, epoch])).toEqual([
      ['mission.created', 0],
      ['mission.started', 1],
      ['model.answered', 1],
      ['tool.failed', 2],
      ['model.answered', 2],
      ['mission.completed', 2],
    ])
  })

  it('that was taken over while it was paused can record nothing', async () => {
    const door = gate()
    world = await createWorld([tool('echo', () => 'echo')])
    const id = await world.create()
    let passed = 0
    const one = world.engine({
      model: script(callTools(['echo'])),
      over: ({ journal, missions }) => ({
        // The second append is the tool's result; the process stands still just before it, with its heartbeat.
        journal: {
          ...journal,
          append: async (...args) => (++passed === 2 && (await door.pass()), journal.append(...args)),
        },
        missions,
      }),
    })
    const running = one.run()
    await door.reached
    await world.expire(one.instance)
    const other = world.engine({ model: script(say('unused'), say('Done by another')) })
    expect(await other.run()).toEqual(['ended'])
    const before = await world.events(id)
    door.open()
    expect((await running)[0]).toBe('lost')
    expect(await world.events(id)).toEqual(before)
    expect(before.map(({ epoch }) => epoch)).toEqual([0, 1, 1, 2, 2, 2])
    expect(one.told.leaseLost).toHaveLength(1)
  })

  it('that was taken over can record nothing even where the new owner has not recorded anything yet', async () => {
    const door = gate()
    world = await createWorld()
    const id = await world.create()
    const one = world.engine({ model: async () => (await door.pass(), say('Too late')) })
    const running = one.run()
    await door.reached
    await world.expire(one.instance)
    await claimOne(one.db, randomUUID())
    door.open()
    expect((await running)[0]).toBe('lost')
    // The second owner died as well, so the answer in the journal is the one that was asked for under the third epoch.
    const answers = (await world.events(id)).filter(({ type }) => type === 'model.answered')
    expect(answers.map(({ epoch }) => epoch)).toEqual([3])
  })

  it('does not repeat a step that the owner before recorded in the last moment', async () => {
    const door = gate()
    world = await createWorld([tool('echo', () => 'echo')])
    const id = await world.create()
    let asked = 0
    const one = world.engine({
      model: async (messages) => {
        if (++asked > 1) return say(`Read ${messages.length} messages`)
        await door.pass()
        return say('Mine')
      },
    })
    const running = one.run()
    await door.reached
    // A statement whose snapshot is older than the claim holds to the old epoch, and may commit after the claim.
    await world.sql(
      `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
       select id, 3, 0, 1, 'model.answered', $2, tenant_id from taskforce.missions where id = $1`,
      [id, { ...callTools(['echo']), usage: { inputTokens: 1, outputTokens: 1, costUsd: '0' }, durationMs: 1 }],
    )
    door.open()
    expect(await running).toEqual(['ended'])
    expect(await world.types(id)).toEqual([
      'mission.created',
      'mission.started',
      'model.answered',
      'tool.finished',
      'model.answered',
      'mission.completed',
    ])
    expect((await world.events(id)).at(-1)?.data).toEqual({ result: { text: 'Read 4 messages' } })
  })

  it('gives up what it owns and does not work on, so that the mission goes on', async () => {
    world = await createWorld()
    const id = await world.create()
    let broken = true
    const one = world.engine({
      model: () => {
        if (broken) throw new TypeError('a defect of the engine or the model client')
        return say('Done')
      },
    })
    await expect(one.engine.runOne()).rejects.toThrow('a defect')
    expect(await world.row(id)).toMatchObject({ status: 'running', owner: one.instance })
    broken = false
    await until(() => one.wakes.sent.length > 0)
    expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
    expect(await one.run()).toEqual(['ended'])
    expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 2 })
  })

  it('does not give up a mission whose claim is still on its way when it polls', async () => {
    world = await createWorld()
    const id = await world.create()
    const polled = gate()
    const one = world.engine({
      over: ({ missions }) => ({
        missions: {
          ...missions,
          claim: async (most, suspect) => {
            const claims = await missions.claim(most, suspect)
            if (claims.length > 0) await polled.reached
            return claims
          },
          poll: async () => {
            const poll = await missions.poll()
            // One turn later, when what was owned has been looked at.
            setTimeout(() => void polled.pass(), 0)
            return poll
          },
        },
      }),
    })
    expect(await one.run()).toEqual(['ended'])
    expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 1 })
  })

  it('whose claim is answered when its lease has run out leaves the mission to who has it now', async () => {
    world = await createWorld()
    const id = await world.create()
    const answer = gate()
    const two = world.engine({ model: script() })
    let asked = 0
    const one = world.engine({
      leaseMs: 600,
      model: () => (asked++, say('mine')),
      over: (context) => {
        const { block, missions } = blockableBeat(context)
        const claim = async (most: number, suspect: boolean) => {
          const claims = await missions.claim(most, suspect)
          block()
          await answer.pass()
          return claims
        }
        return { missions: { ...missions, claim } }
      },
    })
    const running = one.engine.runOne()
    await answer.reached
    await until(async () => (await two.run())[0] === 'ended')
    answer.open()
    expect(await running).toEqual({ missionId: id, end: 'lost' })
    expect(asked).toBe(0)
    expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 2 })
  })

  it('that asks for a mission again and again proves each time that it lives', async () => {
    world = await createWorld()
    const id = await world.create()
    const alive: number[] = []
    let skipped = 0
    const one = world.engine({
      model: script(),
      over: ({ clock, missions }) => ({
        clock: {
          monotonic: () => clock.monotonic() + skipped,
          // Between two claims: a process that stood still, or a database that took its time.
          sleep: async () => {
            skipped = 3_600_000
            await world.expire(one.instance)
          },
        },
        missions: {
          ...missions,
          claim: async (most, suspect) => {
            alive.push((await world.sql('select from taskforce.instances where alive_until > now()')).length)
            return alive.length === 1 ? [] : missions.claim(most, suspect)
          },
        },
      }),
    })
    expect(await one.engine.runOne()).toEqual({ missionId: id, end: 'ended' })
    expect(alive).toEqual([1, 1])
  })

  it('that ends hands over what runs, with a wake, and takes its row away', async () => {
    const door = gate()
    let signal: AbortSignal | undefined
    world = await createWorld([
      tool('slow', async (_, context) => ((signal = context.signal), await door.pass(), 'slow')),
    ])
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['slow'])) })
    const running = one.engine.runOne()
    await door.reached
    await one.engine.drain()
    expect(await running).toEqual({ missionId: id, end: 'handed-over' })
    expect(signal?.aborted).toBe(true)
    expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
    expect(await world.row(id)).toMatchObject({ status: 'running', owner: null })
    expect(await world.sql('select from taskforce.instances')).toEqual([])
    await expect(one.engine.runOne()).rejects.toMatchObject({ why: 'drain' })

    door.open()
    expect(await world.engine({ model: script() }).run()).toEqual(['ended'])
    expect((await world.types(id)).filter((type) => type === 'tool.finished')).toHaveLength(1)
  })
})

describe('an instance that is stopped', () => {
  it('between two attempts at a tool makes no further one', async () => {
    let attempts = 0
    const busy = tool('busy', () => {
      attempts++
      throw new RetryableError('busy', 'Busy')
    })
    world = await createWorld([busy])
    const id = await world.create()
    const drained: Promise<void>[] = []
    const one = world.engine({
      model: script(callTools(['busy'])),
      over: ({ clock }) => ({ clock: { ...clock, sleep: async () => void drained.push(one.engine.drain()) } }),
    })
    expect(await one.engine.runOne()).toEqual({ missionId: id, end: 'handed-over' })
    expect(attempts).toBe(1)
    await Promise.all(drained)
  })

  it('while it announces one of two tools leaves no failure behind that ends the process', async () => {
    const never = tool('never', () => new Promise(() => undefined))
    const charge = tool('charge', () => 'charged', { effect: 'once' })
    world = await createWorld([never, charge])
    const id = await world.create()
    const failures: unknown[] = []
    const note = (reason: unknown) => failures.push(reason)
    process.on('unhandledRejection', note)
    let appends = 0
    const drained: Promise<void>[] = []
    const one = world.engine({
      model: script(callTools(['never'], ['charge'])),
      over: ({ journal }) => ({
        journal: {
          ...journal,
          append: async (...args) => {
            if (++appends === 2) drained.push(one.engine.drain())
            return journal.append(...args)
          },
        },
      }),
    })
    expect(await one.engine.runOne()).toEqual({ missionId: id, end: 'handed-over' })
    await Promise.all(drained)
    process.off('unhandledRejection', note)
    expect(failures).toEqual([])
    expect((await world.types(id)).slice(3)).toEqual(['tool.started', 'tool.finished'])
  })
})

describe('a mission', () => {
  it('that is cancelled while a tool runs stops the tool, and nothing is recorded after it', async () => {
    const door = gate()
    let aborted = false
    const heeding = tool('heeding', async (_, { signal }) => {
      void door.pass()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted = true
      return 'too late'
    })
    world = await createWorld([heeding])
    const id = await world.create()
    const { run } = world.engine({ model: script(callTools(['heeding'])) })
    const running = run()
    await door.reached
    await cancelMission(world.missions, world.caller, id, 'enough')
    expect(await running).toEqual(['lost'])
    expect(aborted).toBe(true)
    expect((await world.events(id)).at(-1)).toMatchObject({
      type: 'mission.cancelled',
      seq: 4,
      data: { reason: 'enough' },
    })
    expect(await world.row(id)).toMatchObject({ status: 'cancelled', owner: null, wakeInMs: null })
  })

  it('that is cancelled just before a result is recorded does not get it', async () => {
    const door = gate()
    world = await createWorld([tool('slow', async () => (await door.pass(), 'slow'))])
    const id = await world.create()
    const { run } = world.engine({ model: script(callTools(['slow'])) })
    const running = run()
    await door.reached
    await cancelMission(world.missions, world.caller, id, undefined)
    door.open()
    expect(await running).toEqual(['lost'])
    expect((await world.types(id)).slice(3)).toEqual(['mission.cancelled'])
  })

  it('that five instances died of without a step fails, and says so', async () => {
    world = await createWorld()
    const id = await world.create()
    const { db, run } = world.engine()
    for (let death = 1; death <= 5; death++) await claimOne(db, randomUUID())
    expect(await world.row(id)).toMatchObject({ crashes: 4 })
    expect(await run()).toEqual(['ended'])
    expect((await world.events(id)).at(-1)).toMatchObject({ type: 'mission.failed', data: { code: 'crash_loop' } })
    expect(await world.row(id)).toMatchObject({ status: 'failed', owner: null })
  })

  it('that four instances died of is run by the fifth', async () => {
    world = await createWorld()
    await world.create()
    const { db, run } = world.engine()
    for (let death = 1; death <= 4; death++) await claimOne(db, randomUUID())
    expect(await run()).toEqual(['ended'])
    expect(await world.sql('select status from taskforce.missions')).toEqual([{ status: 'completed' }])
  })

  it('whose journal this build cannot read is set aside with the reason, and left there', async () => {
    world = await createWorld()
    const id = await world.create()
    await world.sql(`insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
      select id, 2, 0, 9, 'mission.dreamt', '{}', tenant_id from taskforce.missions`)
    const one = world.engine()
    expect(await one.run()).toEqual(['waiting'])
    const row = await world.row(id)
    expect(row).toMatchObject({ status: 'waiting', owner: null, summary: { error: { code: 'journal_unreadable' } } })
    expect(row.wakeInMs).toBeGreaterThan(250_000)
    expect(one.told.missionUnreadable).toHaveLength(1)
    // A build that can read it goes on where it was.
    await world.sql('delete from taskforce.events where seq = 2')
    await world.letTimePass(id, 301_000)
    expect(await one.run()).toEqual(['ended'])
  })

  it('that becomes unreadable while it runs is set aside too', async () => {
    const door = gate()
    world = await createWorld([tool('slow', async () => (await door.pass(), 'slow'))])
    const id = await world.create()
    const { run } = world.engine({ model: script(callTools(['slow'])) })
    const running = run()
    await door.reached
    await world.sql(
      `with event as (insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
         select id, 4, 1, 9, 'mission.dreamt', '{}', tenant_id from taskforce.missions)
       update taskforce.missions set inbox = inbox + 1`,
    )
    door.open()
    expect(await running).toEqual(['waiting'])
    expect(await world.row(id)).toMatchObject({ status: 'waiting', owner: null })
  })
})

describe('a drain', () => {
  it('waits for what acts once, and hands over everything else', async () => {
    const charging = gate()
    let cutOff: AbortSignal | undefined
    const charge = tool('charge', async () => (await charging.pass(), 'receipt 7'), { effect: 'once' })
    const slow = tool('slow', (_, { signal }) => ((cutOff = signal), new Promise(() => undefined)))
    world = await createWorld([slow, charge])
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['slow'], ['charge'])) })
    const running = one.engine.runOne()
    await charging.reached
    const drained = one.engine.drain()
    await until(() => cutOff?.aborted === true)
    charging.open()
    expect(await running).toEqual({ missionId: id, end: 'handed-over' })
    await drained
    expect((await world.types(id)).slice(3)).toEqual(['tool.started', 'tool.finished'])
    expect((await world.events(id)).at(-1)?.data).toMatchObject({ callId: 'c1', output: 'receipt 7' })
  })

  it('announces nothing more that it would not run', async () => {
    let runs = 0
    const charge = tool('charge', () => `charge ${++runs}`, { effect: 'once' })
    world = await createWorld([charge])
    const id = await world.create()
    const drained: Promise<void>[] = []
    const one = world.engine({
      model: script(callTools(['charge'], ['charge'], ['charge'])),
      over: ({ journal }) => ({
        journal: {
          ...journal,
          append: async (...args) => {
            if (drained.length === 0 && args[2][0]?.type === 'tool.started') drained.push(one.engine.drain())
            return journal.append(...args)
          },
        },
      }),
    })
    await one.engine.runOne()
    await Promise.all(drained)
    expect((await world.types(id)).slice(3)).toEqual(['tool.started', 'tool.finished'])
    expect(await world.engine({ model: script(say('unused'), say('Done')) }).run()).toEqual(['ended'])
    expect(runs).toBe(3)
    expect(await world.types(id)).not.toContain('tool.unknown')
  })
})

describe('a tool that acts once', () => {
  it('is not announced where the call is refused for what the model wrote', async () => {
    const charge = tool('charge', () => 'charged', { effect: 'once', input: z.object({ amount: z.number() }) })
    world = await createWorld([charge])
    const id = await world.create()
    await world.engine({ model: script(callTools(['charge', { amount: 'ten' }])) }).run()
    expect((await world.types(id)).slice(3)).toEqual(['tool.failed', 'model.answered', 'mission.completed'])
  })

  it('is announced before it runs, and never run again when its instance died', async () => {
    let runs = 0
    const door = gate()
    const charge = tool('charge', async () => (runs++, await door.pass(), 'charged'), { effect: 'once' })
    world = await createWorld([charge])
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['charge'])) })
    const running = one.run()
    await door.reached
    expect(await world.types(id)).toContain('tool.started')
    await world.expire(one.instance)
    const heard: ModelMessage[][] = []
    const other = world.engine({ model: (messages) => (heard.push(messages), say('I do not know')) })
    expect(await other.run()).toEqual(['ended'])
    door.open()
    expect((await running)[0]).toBe('lost')
    expect(runs).toBe(1)
    expect((await world.types(id)).slice(3)).toEqual([
      'tool.started',
      'tool.unknown',
      'model.answered',
      'mission.completed',
    ])
    expect(heard[0]?.at(-1)?.content).toContain('outcome of this call is unknown')
  })

  it('is announced even where something from outside comes in at that moment', async () => {
    const seen: string[][] = []
    const charge = tool('charge', async () => (seen.push(await world.types(id)), 'charged'), { effect: 'once' })
    world = await createWorld([charge])
    const id = await world.create()
    let appends = 0
    const { run } = world.engine({
      model: script(callTools(['charge'])),
      over: ({ journal }) => ({
        journal: {
          ...journal,
          append: async (...args) => {
            if (++appends === 2) await comeInFromOutside()
            return journal.append(...args)
          },
        },
      }),
    })
    expect(await run()).toEqual(['ended'])
    expect(seen).toEqual([['mission.created', 'mission.started', 'model.answered', 'mission.message', 'tool.started']])

    async function comeInFromOutside(): Promise<void> {
      await world.sql(`with event as (insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
          select id, 4, 1, 1, 'mission.message', '{"role":"user","content":"Hm","by":"x"}', tenant_id from taskforce.missions)
        update taskforce.missions set inbox = inbox + 1`)
    }
  })
})

it('a permit is not used up by a row that somebody has locked for a moment', async () => {
  world = await createWorld([])
  const id = await world.create()
  const { engine } = world.engine({ model: () => say('done') })
  await withConnection(world.database.ownerUrl, async (other) => {
    await other.query('begin')
    await other.query('select 1 from taskforce.missions where id = $1 for update', [id])
    const run = engine.runOne()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await other.query('commit')
    expect(await run).toEqual({ missionId: id, end: 'ended' })
  })
})
