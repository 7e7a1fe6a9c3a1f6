import { afterEach, describe, expect, it } from 'vitest'
import { MOST_STUMBLES } from '../../src/domain/stumble.ts'
import type { ModelAnswer, ModelMessage } from '../../src/models/model.ts'
import { callTools, createWorld, say, tool, type World } from '../support/engine.ts'

/** Faults F38 to F40 as the engine sees them: each is in the journal, and the agent gets over it or the mission ends. */

let world: World
afterEach(() => world.stop())

const echo = () => tool('echo', ({ text }) => `echo ${String(text)}`)

/** Gives these answers in turn, whatever the conversation looks like. */
async function play(...answers: ModelAnswer[]) {
  world = await createWorld([echo()])
  const id = await world.create()
  const heard: ModelMessage[][] = []
  const left = [...answers]
  await world.engine({ model: (messages) => (heard.push(messages), left.shift() ?? say('Done')) }).run()
  return { heard, types: (await world.types(id)).slice(2), events: await world.events(id), row: await world.row(id) }
}

const cut = (answer: ModelAnswer): ModelAnswer => ({ ...answer, finishReason: 'length' })

describe('F38 malformed arguments', () => {
  const table: [string, string][] = [
    ['truncated', '{"text": "a'],
    ['with a trailing comma', '{"text": "a",}'],
    ['an array', '["a"]'],
    ['a bare number', '12'],
  ]
  it.each(table)('%s: the call is refused with the reason, and the next one runs', async (_, args) => {
    const { types, events } = await play(callTools(['echo', args]), callTools(['echo', { text: 'b' }]))
    expect(types).toEqual([
      'model.answered',
      'tool.failed',
      'model.answered',
      'tool.finished',
      'model.answered',
      'mission.completed',
    ])
    expect(events[3]?.data).toMatchObject({ error: { code: 'bad_arguments' } })
  })

  it('with __proto__ pollute nothing', async () => {
    await play(callTools(['echo', '{"__proto__": {"polluted": true}, "text": "a"}']))
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('of 1 MB are recorded as they are and refused, and the mission goes on', async () => {
    const { types, row } = await play(callTools(['echo', `{"text": "${'x'.repeat(1_000_000)}`]))
    expect(types).toEqual(['model.answered', 'tool.failed', 'model.answered', 'mission.completed'])
    expect(row.status).toBe('completed')
  })
})

describe('F39', () => {
  it('an unknown tool is refused with the names of those that there are', async () => {
    const { events, types } = await play(callTools(['rm', {}]))
    expect(types).toEqual(['model.answered', 'tool.failed', 'model.answered', 'mission.completed'])
    expect(events[3]?.data).toMatchObject({
      error: { code: 'unknown_tool', message: expect.stringContaining('Use one of: echo') },
    })
  })

  it('text beside a call is kept, and is no final answer', async () => {
    const { types, heard } = await play({ ...callTools(['echo', { text: 'a' }]), text: 'I look' })
    expect(types).toEqual(['model.answered', 'tool.finished', 'model.answered', 'mission.completed'])
    expect(heard[1]?.at(-2)).toMatchObject({ role: 'assistant', content: 'I look' })
  })
})

describe('F40', () => {
  it('an empty answer is asked for again at once, and what it cost is counted', async () => {
    const { types, heard, row, events } = await play(say(''), say('Hello'))
    expect(types).toEqual(['model.answered', 'model.answered', 'mission.completed'])
    expect(heard[1]?.at(-1)).toMatchObject({ role: 'user', content: expect.stringContaining('was empty') })
    expect(row).toMatchObject({ summary: { usage: { steps: 2, inputTokens: 200 } } })
    expect(events.at(-1)?.data).toEqual({ result: { text: 'Hello' } })
  })

  it('a model that never says anything ends its mission, and says so', async () => {
    const { types, row } = await play(...Array.from({ length: MOST_STUMBLES }, () => say('')))
    expect(types).toEqual([...Array.from({ length: MOST_STUMBLES }, () => 'model.answered'), 'mission.failed'])
    expect(row).toMatchObject({ status: 'failed', summary: { error: { code: 'model_empty_answer' } } })
  })

  it('an answer cut off at its length is asked for again', async () => {
    const { types, events } = await play(cut(say('Once upon a ti')), say('Short'))
    expect(types).toEqual(['model.answered', 'model.answered', 'mission.completed'])
    expect(events.at(-1)?.data).toEqual({ result: { text: 'Short' } })
  })

  it('of calls cut off at their length the last is not run, even where it looks whole', async () => {
    const { types, events } = await play(cut(callTools(['echo', { text: 'a' }], ['echo', {}])))
    expect(types).toEqual(['model.answered', 'tool.failed', 'tool.finished', 'model.answered', 'mission.completed'])
    expect(events[3]?.data).toMatchObject({ callId: 'c1', error: { code: 'cut_short' } })
    expect(events[4]?.data).toMatchObject({ callId: 'c0', output: 'echo a' })
  })

  it('a filter that goes on stopping answers ends the mission with its category', async () => {
    const stopped: ModelAnswer = { ...say('He'), finishReason: 'content_filter', contentFilter: ['violence (high)'] }
    const { events, row } = await play(...Array.from({ length: MOST_STUMBLES }, () => stopped))
    expect(events[2]?.data).toMatchObject({ finishReason: 'content_filter', contentFilter: ['violence (high)'] })
    expect(row).toMatchObject({
      status: 'failed',
      summary: { error: { code: 'model_content_filter', message: expect.stringContaining('violence (high)') } },
    })
  })
})
