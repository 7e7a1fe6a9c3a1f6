import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { RetryableError, TerminalError } from '../../src/domain/errors.ts'
import type { Tool } from '../../src/tools/tool.ts'
import { readFile } from '../../src/missions/read-files.ts'
import { callTools, createWorld, script, tool, type TestEngine, type World } from '../support/engine.ts'

let world: World
afterEach(() => world.stop())

/** Runs a mission that calls one tool once, without waiting between attempts; gives the event that it left. */
async function outcomeOf(one: Tool, input: unknown = {}): Promise<{ type: string; data: unknown; engine: TestEngine }> {
  world = await createWorld([one])
  const id = await world.create()
  const engine = world.engine({
    model: script(callTools([one.name, input])),
    over: ({ clock }) => ({ clock: { ...clock, sleep: async () => undefined } }),
  })
  expect(await engine.run()).toEqual(['ended'])
  const { type, data } = (await world.events(id)).find((event) => /^tool\.(f|u)/.test(event.type)) ?? {}
  return { type: type ?? 'none', data, engine }
}

function failing(error: unknown, over: Partial<Tool> = {}) {
  let attempts = 0
  const one = tool(
    'one',
    () => {
      attempts++
      throw error
    },
    over,
  )
  return { one, attempts: () => attempts }
}

describe('a tool that fails', () => {
  it('for good is not tried again, and the model learns why', async () => {
    const { one, attempts } = failing(new TerminalError('no_such_page', 'Not there', { hint: 'Look elsewhere' }))
    expect(await outcomeOf(one)).toMatchObject({
      type: 'tool.failed',
      data: {
        callId: 'c0',
        name: 'one',
        error: { code: 'no_such_page', message: 'Not there', hint: 'Look elsewhere' },
      },
    })
    expect(attempts()).toBe(1)
  })

  it.each(['read', 'idempotent'] as const)('in passing is tried three times where its effect is %s', async (effect) => {
    const { one, attempts } = failing(new RetryableError('busy', 'Busy'), { effect })
    expect(await outcomeOf(one)).toMatchObject({
      type: 'tool.failed',
      data: { error: { code: 'busy', message: 'Busy' } },
    })
    expect(attempts()).toBe(3)
  })

  it('in passing is never tried again where it acts once', async () => {
    const { one, attempts } = failing(new RetryableError('busy', 'Busy'), { effect: 'once' })
    expect(await outcomeOf(one)).toMatchObject({ type: 'tool.unknown', data: { key: '3.0', reason: 'Busy' } })
    expect(attempts()).toBe(1)
  })

  it('for good where it acts once has not acted', async () => {
    const { one } = failing(new TerminalError('not_sent', 'Nothing was sent'), { effect: 'once' })
    expect(await outcomeOf(one)).toMatchObject({ type: 'tool.failed', data: { error: { code: 'not_sent' } } })
  })

  it('to come back in time, or by a defect, where it acts once may have acted', async () => {
    const slow = tool('slow', () => new Promise(() => undefined), { timeoutMs: 50, effect: 'once' })
    const { type, data } = await outcomeOf(slow)
    expect({ type, data }).toMatchObject({ type: 'tool.unknown', data: { reason: expect.stringContaining('0.05 s') } })
    await world.stop()
    const { one } = failing(new TypeError('secret'), { effect: 'once' })
    const crashed = await outcomeOf(one)
    expect(crashed.type).toBe('tool.unknown')
    expect(JSON.stringify(crashed.data)).not.toContain('secret')
    expect(crashed.engine.told.toolCrashed).toHaveLength(1)
  })

  it('in passing is not waited for longer than half a minute', async () => {
    const { one, attempts } = failing(new RetryableError('busy', 'Busy', { retryAfterMs: 3_600_000 }))
    expect((await outcomeOf(one)).type).toBe('tool.failed')
    expect(attempts()).toBe(1)
  })

  it('in passing and then works has worked, with the same key at each attempt', async () => {
    const keys: string[] = []
    const one = tool('one', (_, { key }) => {
      keys.push(key)
      if (keys.length < 3) throw new RetryableError('busy', 'Busy')
      return 'there'
    })
    expect(await outcomeOf(one)).toMatchObject({ type: 'tool.finished', data: { output: 'there' } })
    const [{ id } = { id: '' }] = await world.sql<{ id: string }>('select id from taskforce.missions')
    expect(keys).toEqual([`${id}:3.0`, `${id}:3.0`, `${id}:3.0`])
  })

  it('by a defect shows nothing of it to the model, and all of it to the log', async () => {
    const defect = new TypeError('secret-connection-string is undefined')
    const { type, data, engine } = await outcomeOf(failing(defect).one)
    expect(type).toBe('tool.failed')
    expect(data).toMatchObject({ error: { code: 'tool_crashed' } })
    expect(JSON.stringify(await world.sql('select data from taskforce.events'))).not.toContain('secret')
    expect(engine.told.toolCrashed?.[0]?.[0]).toMatchObject({ tool: 'one', error: defect })
  })

  it('to reach a server of its own is a failure of the tool, and not taken for the database being away', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' })
    const { type, data } = await outcomeOf(failing(refused).one)
    expect(type).toBe('tool.failed')
    expect(data).toMatchObject({ error: { code: 'tool_crashed' } })
  })

  it('to come back in time is stopped, even where it does not heed its signal', async () => {
    let signal: AbortSignal | undefined
    const deaf = tool('deaf', (_, context) => ((signal = context.signal), new Promise(() => undefined)), {
      timeoutMs: 50,
    })
    const { type, data } = await outcomeOf(deaf)
    expect(type).toBe('tool.failed')
    expect(data).toMatchObject({ error: { code: 'timeout', message: expect.stringContaining('0.05 s') } })
    expect(signal?.aborted).toBe(true)
  })

  it.each([
    ['are no JSON', '{"n": 1', 'no valid JSON'],
    ['have the wrong types', { n: 'one' }, 'expected number'],
  ])('for arguments that %s does not run, and says what is wrong', async (_, input, reason) => {
    let ran = false
    const strict = tool('strict', () => ((ran = true), 'x'), { input: z.object({ n: z.number() }) })
    expect(await outcomeOf(strict, input)).toMatchObject({
      type: 'tool.failed',
      data: { error: { code: 'bad_arguments', message: expect.stringContaining(reason) } },
    })
    expect(ran).toBe(false)
  })

  it('to be there since another build runs is refused, and the mission goes on', async () => {
    world = await createWorld([tool('gone', () => 'x')])
    const id = await world.create()
    const { run } = world.engine({ model: script(callTools(['gone'])), over: () => ({ tools: new Map() }) })
    expect(await run()).toEqual(['ended'])
    expect((await world.events(id))[3]?.data).toMatchObject({ error: { code: 'unknown_tool' } })
  })
})

describe('what a tool gives', () => {
  it('is cut where it is too long, between two characters, with a note', async () => {
    const long = tool('long', () => `${'x'.repeat(9)}€${'y'.repeat(100)}`, { maxOutputBytes: 10 })
    const { data } = await outcomeOf(long)
    expect(data).toMatchObject({ output: `${'x'.repeat(9)}\n[cut: 103 of 112 bytes left out]` })
  })

  it('may be files, which are there for the next tool and at the end', async () => {
    const write = tool('write', async ({ name, text }, { workspace }) => {
      return { text: 'ok', files: [await workspace.write(String(name), Buffer.from(String(text)))] }
    })
    const read = tool('read', async ({ name }, { workspace }) => (await workspace.read(String(name))).toString())
    world = await createWorld([write, read])
    const id = await world.create()
    const { run } = world.engine({
      model: script(
        callTools(['write', { name: 'a.txt', text: 'one' }]),
        callTools(['write', { name: 'a.txt', text: 'two' }], ['read', { name: 'b.txt' }]),
        callTools(['read', { name: 'a.txt' }]),
      ),
    })
    await run()
    const events = await world.events(id)
    expect(events.find((event) => event.type === 'tool.failed')?.data).toMatchObject({
      error: { code: 'file_not_found', message: expect.stringContaining('a.txt') },
    })
    expect(events.findLast((event) => event.type === 'tool.finished')?.data).toMatchObject({ output: 'two' })
    expect((await readFile(world.missions, world.caller, id, 'a.txt')).bytes.toString()).toBe('two')
  })
})
