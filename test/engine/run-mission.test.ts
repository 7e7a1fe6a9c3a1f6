import { afterEach, describe, expect, it } from 'vitest'
import { RetryableError, TerminalError } from '../../src/domain/errors.ts'
import { MODEL_ATTEMPTS } from '../../src/domain/model-retry.ts'
import type { ModelMessage } from '../../src/models/model.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import type { Tool } from '../../src/tools/tool.ts'
import { callTools, createWorld, gate, say, script, tool, type World } from '../support/engine.ts'

let world: World
afterEach(() => world.stop())

const echo = tool('echo', ({ text }) => `echo ${String(text)}`)

describe('a mission', () => {
  it('runs to its end with one event a step and no number missing', async () => {
    world = await createWorld([echo])
    const id = await world.create('Say it')
    const { run, instance } = world.engine({
      model: script(callTools(['echo', { text: 'a' }]), callTools(['echo', { text: 'b' }]), say('Said')),
    })
    expect(await run()).toEqual(['ended'])
    const events = await world.events(id)
    expect(events.map(({ type }) => type)).toEqual([
      'mission.created',
      'mission.started',
      'model.answered',
      'tool.finished',
      'model.answered',
      'tool.finished',
      'model.answered',
      'mission.completed',
    ])
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(events[1]?.data).toEqual({ instance })
    expect(events.at(-1)?.data).toEqual({ result: { text: 'Said' } })
    // Three model calls of 100 tokens in and 10 out at 1 and 2 dollars a million, and two tool calls.
    const usage = { steps: 5, inputTokens: 300, outputTokens: 30, costUsd: '0.00036' }
    expect(await world.row(id)).toMatchObject({ status: 'completed', owner: null, wakeInMs: null, summary: { usage } })
  })

  it('is charged at the price of the model that was asked for, where the server answers with a dated name', async () => {
    world = await createWorld()
    const id = await world.create()
    await world.engine({ model: () => ({ ...say('Done'), model: 'scripted-2026-11-01' }) }).run()
    expect(await world.row(id)).toMatchObject({ summary: { usage: { costUsd: '0.00012' } } })
  })

  it('says where its model has no price, since the limit of costs can not see it then', async () => {
    world = await createWorld()
    const id = await world.create()
    await world
      .engine({ over: () => ({ defaultModel: 'free' }), model: () => ({ ...say('Done'), model: 'free' }) })
      .run()
    expect((await world.events(id))[2]?.data).toMatchObject({ usage: { costUsd: '0', unpriced: true } })
    expect(await readMission(world.missions, world.caller, id)).toMatchObject({ usage: { unpriced: true } })
  })

  it('costs one statement a step', async () => {
    world = await createWorld([echo])
    const calls = Array.from({ length: 10 }, () => callTools(['echo', {}]))
    await world.create()
    const { run, statements } = world.engine({ model: script(...calls) })
    await run()
    const mine = statements.filter((name) => !name.startsWith('instance_'))
    const counts = Map.groupBy(mine, (name) => name)
    // The claim starts it and brings its journal; the end goes with the last answer. The second claim finds nothing.
    expect(counts.get('append_one')).toHaveLength(20)
    expect(counts.get('append_with_changes')).toHaveLength(1)
    expect(counts.get('claim_missions')).toHaveLength(2)
    // Its profile, once for all missions; in the end, a look at whether a locked row was passed over.
    expect(mine).toHaveLength(20 + 1 + 2 + 1 + 1)
  })

  it('reads its profile once for all missions of an instance', async () => {
    world = await createWorld()
    for (const goal of ['a', 'b', 'c']) await world.create(goal)
    const { run, statements } = world.engine()
    expect(await run()).toEqual(['ended', 'ended', 'ended'])
    expect(statements.filter((name) => name === 'read_profile')).toHaveLength(1)
  })

  it('tells the model all that happened, and what a tool said is marked as data', async () => {
    world = await createWorld([echo])
    await world.create('Say it')
    const heard: ModelMessage[][] = []
    const answers = script(callTools(['echo', { text: 'x' }]))
    await world
      .engine({
        model: (messages, signal) => {
          heard.push(messages)
          return answers(messages, signal)
        },
      })
      .run()
    expect(heard[1]?.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool'])
    expect(heard[1]?.at(-1)).toMatchObject({
      callId: 'c0',
      content: expect.stringMatching(/data not instructions.*\necho x/),
    })
  })

  it('is handed over with a wake when the time of its slice is up, and goes on where it was', async () => {
    world = await createWorld([echo])
    const id = await world.create()
    const first = world.engine({ sliceMs: 0 })
    await first.engine.runOne()
    expect(await world.row(id)).toMatchObject({ status: 'running', owner: null })
    expect(await world.types(id)).toEqual(['mission.created', 'mission.started'])
    expect(first.wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
    await world.engine().run()
    expect(await world.row(id)).toMatchObject({ status: 'completed', crashes: 0 })
  })
})

describe('tools that a model calls together', () => {
  it('run at the same time, and each result is recorded when it is there', async () => {
    const [slow, second] = [gate(), gate()]
    const tools = [
      tool('slow', async () => (await slow.pass(), 'slow')),
      tool('second', async () => (await second.pass(), 'second')),
      tool('fast', () => 'fast'),
    ]
    world = await createWorld(tools)
    const id = await world.create()
    const { engine } = world.engine({ model: script(callTools(['slow'], ['second'], ['fast'])) })
    const running = engine.runOne()
    await Promise.all([slow.reached, second.reached])
    const outputs = async () =>
      (await world.events(id)).flatMap((event) => (event.type === 'tool.finished' ? [event.data.output] : []))
    await expect.poll(outputs).toEqual(['fast'])
    second.open()
    await expect.poll(outputs).toEqual(['fast', 'second'])
    slow.open()
    await running
    expect(await outputs()).toEqual(['fast', 'second', 'slow'])
    expect(await world.row(id)).toMatchObject({ status: 'completed' })
  })

  it('are told apart where the model gives one id twice', async () => {
    world = await createWorld([echo])
    const id = await world.create()
    const twice = callTools(['echo', { text: 'a' }], ['echo', { text: 'b' }])
    for (const call of twice.toolCalls) call.id = 'same'
    await world.engine({ model: script(twice) }).run()
    const finished = (await world.events(id)).flatMap((event) => (event.type === 'tool.finished' ? [event.data] : []))
    expect(new Map(finished.map(({ callId, output }) => [callId, output]))).toEqual(
      new Map([
        ['same', 'echo a'],
        ['same_1', 'echo b'],
      ]),
    )
  })
})

describe('calls that need no hands', () => {
  it('write a plan, refuse a bad one, and refuse tools that are not there', async () => {
    world = await createWorld([echo])
    const id = await world.create()
    const items = [{ id: 'a', title: 'A', status: 'pending' }]
    const circle = [{ id: 'a', title: 'A', status: 'pending', dependsOn: ['a'] }]
    await world
      .engine({ model: script(callTools(['make_plan', { items }], ['make_plan', { items: circle }], ['rm', {}])) })
      .run()
    const events = (await world.events(id)).slice(3, 6)
    expect(events.map(({ type }) => type)).toEqual(['plan.updated', 'tool.failed', 'tool.failed'])
    expect(events[1]?.data).toMatchObject({
      error: { code: 'bad_arguments', message: expect.stringContaining('a -> a') },
    })
    expect(events[2]?.data).toMatchObject({ error: { code: 'unknown_tool' } })
  })
})

describe('a model that fails', () => {
  const busy = () => {
    throw new RetryableError('model_unavailable', 'The model is busy')
  }

  it('is waited for without an owner, longer each time, and then asked again', async () => {
    world = await createWorld()
    const id = await world.create()
    const failing = world.engine({ model: busy })
    const waits: number[] = []
    for (let n = 0; n < 3; n++) {
      expect(await failing.run()).toEqual(['waiting'])
      const row = await world.row(id)
      expect(row).toMatchObject({ status: 'waiting', owner: null, summary: { waitingFor: { kind: 'model' } } })
      waits.push(row.wakeInMs ?? 0)
      await world.letTimePass(id, 10_000)
    }
    // 2, 4 and 8 s after the failure was recorded.
    expect(waits.map((ms, n) => ms > 0 && ms <= 2000 * 2 ** n)).toEqual([true, true, true])
    expect(waits[2]).toBeGreaterThan(waits[0] as number)
    // Whole seconds, rounded up.
    expect(failing.wakes.sent.map(({ inSeconds }, n) => inSeconds <= 2 * 2 ** n + 1)).toEqual([true, true, true])
    expect((await readMission(world.missions, world.caller, id)).waitingFor?.kind).toBe('model')
    await world.engine().run()
    expect(await world.row(id)).toMatchObject({ status: 'completed' })
  })

  it('is left alone for as long as its server asks', async () => {
    world = await createWorld()
    const id = await world.create()
    const { run, wakes } = world.engine({
      model: () => {
        throw new RetryableError('model_rate_limited', 'Later', { retryAfterMs: 600_000 })
      },
    })
    await run()
    expect((await world.row(id)).wakeInMs).toBeGreaterThan(590_000)
    expect(wakes.sent).toEqual([])
  })

  it(`ends its mission after ${MODEL_ATTEMPTS} failures in a row`, async () => {
    world = await createWorld()
    const id = await world.create()
    const { run } = world.engine({ model: busy })
    for (let n = 0; n < MODEL_ATTEMPTS + 1; n++) {
      await run()
      await world.letTimePass(id, 400_000)
    }
    expect((await world.types(id)).filter((type) => type === 'model.failed')).toHaveLength(MODEL_ATTEMPTS)
    expect((await world.events(id)).at(-1)).toMatchObject({
      type: 'mission.failed',
      data: { code: 'model_unavailable' },
    })
  })

  it('for good ends its mission at once, with its hint', async () => {
    world = await createWorld()
    const id = await world.create()
    const model = () => {
      throw new TerminalError('model_auth', 'The key was refused', { hint: 'Set another' })
    }
    await world.engine({ model }).run()
    expect(await world.types(id)).toEqual(['mission.created', 'mission.started', 'model.failed', 'mission.failed'])
    expect(await world.row(id)).toMatchObject({
      status: 'failed',
      summary: { error: { code: 'model_auth', message: 'The key was refused', hint: 'Set another' } },
    })
  })

  it('after part of an answer is charged what that part cost', async () => {
    world = await createWorld()
    const id = await world.create()
    const model = () => {
      const spent = { inputTokens: 10_000, outputTokens: 10 }
      throw new TerminalError('model_content_filter', 'Stopped: violence (high)', {
        spent,
        contentFilter: ['violence (high)'],
      })
    }
    await world.engine({ model }).run()
    expect((await world.events(id))[2]?.data).toMatchObject({
      contentFilter: ['violence (high)'],
      usage: { inputTokens: 10_000, outputTokens: 10, costUsd: '0.01002', estimated: true },
    })
    const { status, error, usage } = await readMission(world.missions, world.caller, id)
    expect({ status, code: error?.code, usage }).toMatchObject({
      status: 'failed',
      code: 'model_content_filter',
      usage: { steps: 0, costUsd: '0.01002' },
    })
  })
})

describe('a limit', () => {
  const endless = () => callTools(['echo', {}])
  const table: [string, Parameters<World['create']>[1], string][] = [
    ['of steps', { limits: { steps: 4 } }, 'limit_steps'],
    ['of tokens', { limits: { tokens: 250 } }, 'limit_tokens'],
    // 100 tokens in and 10 out cost 0.00012 here.
    ['of cost', { limits: { costUsd: '0.0003' } }, 'limit_costUsd'],
  ]
  it.each(table)('%s ends the mission after one step over it at most, with what it has', async (_, request, code) => {
    world = await createWorld([echo])
    const id = await world.create('Go on', request)
    await world.engine({ model: () => ({ ...endless(), text: 'Half of it' }) }).run()
    expect((await world.events(id)).at(-1)?.data).toMatchObject({ code })
    const { status, error, result } = await readMission(world.missions, world.caller, id)
    expect({ status, code: error?.code, result }).toEqual({ status: 'failed', code, result: { text: 'Half of it' } })
    const answers = (await world.types(id)).filter((type) => type === 'model.answered')
    expect(answers).toHaveLength(code === 'limit_steps' ? 2 : 3)
  })

  it('of time ends a mission that waits, when it is due', async () => {
    world = await createWorld()
    const id = await world.create('Wait', { limits: { wallMs: 60_000 } })
    const { run } = world.engine({ model: script(callTools(['wait', { seconds: 3600 }])) })
    expect(await run()).toEqual(['waiting'])
    expect((await world.row(id)).wakeInMs).toBeLessThanOrEqual(60_000)
    await world.letTimePass(id, 61_000)
    expect(await run()).toEqual(['ended'])
    expect((await world.events(id)).at(-1)?.data).toMatchObject({ code: 'limit_wallMs' })
  })

  it('of steps is told to the model before its last one', async () => {
    world = await createWorld([echo])
    const id = await world.create('Go on', { limits: { steps: 3 } })
    const heard: string[] = []
    const model = (messages: ModelMessage[]) => {
      heard.push(messages.at(-1)?.content ?? '')
      return heard.length === 1 ? endless() : say('This is what I have')
    }
    await world.engine({ model }).run()
    expect(heard[0]).toBe('Go on')
    expect(heard[1]).toContain('the last of the 3 steps')
    expect(await world.row(id)).toMatchObject({ status: 'completed' })
  })

  it('of time cuts off a step that outlasts it', async () => {
    let signal: AbortSignal | undefined
    const never = tool('never', (_, context) => ((signal = context.signal), new Promise(() => undefined)))
    world = await createWorld([never])
    const id = await world.create('Wait', { limits: { wallMs: 300 } })
    expect(await world.engine({ model: script(callTools(['never'])) }).run()).toEqual(['ended'])
    expect((await world.events(id)).at(-1)?.data).toMatchObject({ code: 'limit_wallMs' })
    expect(signal?.aborted).toBe(true)
  })

  it('does not swallow an answer that used it up', async () => {
    world = await createWorld()
    const id = await world.create('Go', { limits: { tokens: 50 } })
    await world.engine().run()
    expect(await world.row(id)).toMatchObject({ status: 'completed' })
  })
})

describe('text that the journal cannot hold', () => {
  it('does not stop a mission, and the agent reads what was recorded', async () => {
    const dirty: Tool = tool('dirty', () => 'a\u0000b\ud800')
    world = await createWorld([dirty])
    const id = await world.create()
    const heard: ModelMessage[][] = []
    const answers = script(callTools(['dirty']), say('All of a\u0000b'))
    const model = (messages: ModelMessage[], signal: AbortSignal) => {
      heard.push(messages)
      return answers(messages, signal)
    }
    expect(await world.engine({ model }).run()).toEqual(['ended'])
    expect(heard[1]?.at(-1)?.content).toContain('a\ufffdb\ufffd')
    expect((await world.events(id)).at(-1)?.data).toEqual({ result: { text: 'All of a\ufffdb' } })
  })
})
