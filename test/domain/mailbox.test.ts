import { describe, expect, it } from 'vitest'
import { decide, MODEL_STEP } from '../../src/domain/decide.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { evolve } from '../../src/domain/evolve.ts'
import type { EffectiveProfile } from '../../src/domain/profile.ts'
import type { MissionState } from '../../src/domain/state.ts'
import { transcript, type TranscriptMessage } from '../../src/domain/transcript.ts'
import { answered, asked, created, event, finished, START, started, stateOf } from '../support/journal.ts'

const limits = { steps: 1000, tokens: 1e9, costUsd: '1000', wallMs: 36e5 }
const profile: EffectiveProfile = {
  name: 'dev',
  model: {},
  instructions: 'Be brief.',
  tools: [],
  limits,
  prices: {},
  egress: { allow: [], post: [] },
}
const tools = new Set(['read_file', 'wait', 'ask_user'])

function words(events: EventDraft[], inFlight: string[] = []) {
  const actions = decide(stateOf(...events), START + 60_000, { instance: 'i', tools, inFlight: new Set(inFlight) })
  return actions.map((action) => (action.do === 'append' ? action.event.type : action.do))
}

function message(content: string): EventDraft {
  return event('mission.message', { role: 'user', content, by: 'somebody' })
}

/** An answer to a model that was asked when the journal had so many events. */
function seen(seenSeq: number, draft: EventDraft): EventDraft {
  return { ...draft, data: { ...draft.data, seenSeq } } as EventDraft
}

/** What the model reads when it is asked now, but for the system prompt. */
function told(...events: EventDraft[]): string[] {
  return transcript(stateOf(...events), profile)
    .slice(1)
    .map(({ role, content }) => `${role}: ${content.split('\n').at(-1)}`)
}

const begun = [created(), started()]

describe('a message', () => {
  it('is read behind the results of the calls that are open', () => {
    const open = [...begun, answered('', 'read_file'), message('hurry')]
    expect(told(...open)).not.toContain('user: hurry')
    expect(told(...open, finished('c0', 'x'))).toEqual(['user: Say hello', 'assistant: ', 'tool: x', 'user: hurry'])
  })

  it('that comes while the model thinks stands behind its answer, and keeps the mission from completing', () => {
    const late = [...begun, message('early'), message('late'), seen(3, answered('Hello'))]
    expect(words(late)).toEqual(['callModel'])
    expect(told(...late)).toEqual(['user: Say hello', 'user: early', 'assistant: Hello', 'user: late'])
    expect(words([...late, answered('And more')])).toEqual(['mission.completed'])
  })

  it('that the model was told of does not keep it from completing', () => {
    expect(words([...begun, message('early'), answered('Hello')])).toEqual(['mission.completed'])
  })

  it('takes a final answer back that used up the last step, and what was said stays the result so far', () => {
    const short = created({ limits: { ...limits, steps: 1 } })
    const [end] = decide(stateOf(short, started(), message('late'), seen(2, answered('Hello'))), START + 60_000, {
      instance: 'i',
      tools,
      inFlight: new Set(),
    })
    expect(end).toMatchObject({ event: { data: { code: 'limit_steps', result: { text: 'Hello' } } } })
  })

  it('ends a wait early, says so to the model, and leaves a question open', () => {
    const until = new Date(START + 864e5).toISOString()
    const waits = [
      ...begun,
      answered('', 'wait', 'ask_user'),
      event('timer.set', { timerId: 't', callId: 'c0', until }),
      asked({ callId: 'c1' }),
    ]
    expect(words(waits)).toEqual(['wait'])
    expect(words([...waits, message('do it now')])).toEqual(['timer.fired'])
    const fired = event('timer.fired', { timerId: 't', early: true })
    const after = [...waits, message('do it now'), fired]
    expect(words(after)).toEqual(['wait'])
    expect(stateOf(...after).questions).toHaveLength(1)
    expect(stateOf(...after).turns.at(-1)?.content).toContain('"waited":false')
  })
})

/** Small and seeded (mulberry32), so that a failure can be repeated. */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % sides
  }
}

/** A mission in which everything that may come from outside comes at any time. */
class Life {
  readonly roll: (sides: number) => number
  /** What the model was told at each of its calls. */
  readonly told: TranscriptMessage[][] = []
  state: MissionState
  sent = 0
  #thinkingSince: number | undefined
  #now = START + 2000

  constructor(seed: number) {
    this.roll = dice(seed)
    this.state = stateOf(created({ limits }), started())
  }

  add(draft: EventDraft): void {
    this.#now += this.roll(3)
    this.state = evolve(this.state, { ...draft, seq: this.state.seq + 1, at: this.#now })
  }

  /** One thing from outside or from inside. */
  step(): void {
    const luck = this.roll(10)
    if (luck === 0 && this.sent < 30) return this.add(message(`message ${this.sent++}`))
    if (luck === 1) {
      const { paused } = this.state
      return this.add(event(paused ? 'mission.resumed' : 'mission.paused', { by: 'somebody' }))
    }
    if (this.#thinkingSince !== undefined && this.roll(2) === 0) return this.answer()
    const [question] = this.state.questions
    if (question !== undefined && this.roll(4) === 0) {
      return this.add(event('question.answered', { questionId: question.questionId, answer: 'yes', by: 'somebody' }))
    }
    this.move()
  }

  answer(): void {
    const calls = Array.from({ length: this.roll(4) }, () => (['read_file', 'wait', 'ask_user'] as const)[this.roll(3)])
    const inputs = { read_file: {}, wait: { seconds: 3 }, ask_user: { question: '?' } }
    const draft = answered('said', ...calls.map((name): [string, unknown] => [name ?? '', inputs[name ?? 'read_file']]))
    const seenSeq = this.#thinkingSince ?? 0
    this.#thinkingSince = undefined
    this.add(seenSeq === this.state.seq ? draft : seen(seenSeq, draft))
  }

  move(): void {
    const inFlight = new Set(this.#thinkingSince === undefined ? [] : [MODEL_STEP])
    this.#now += this.roll(2000)
    const actions = decide(this.state, this.#now, { instance: 'i', tools, inFlight })
    for (const action of actions) {
      if (action.do === 'append') this.add(action.event)
      if (action.do === 'runTool' && this.roll(2) === 0) this.add(finished(action.call.id, 'x'))
      if (action.do !== 'callModel') continue
      this.#thinkingSince = this.state.seq
      this.told.push(transcript(this.state, profile))
    }
  }
}

/** Each call is followed by its results at once, and by nothing else before them. */
function expectServersTake(messages: TranscriptMessage[]): void {
  const open = new Set<string>()
  for (const one of messages) {
    if (one.role === 'tool') expect(open.delete(one.callId)).toBe(true)
    else expect([...open]).toEqual([])
    if (one.role === 'assistant') for (const { id } of one.toolCalls) open.add(id)
  }
  expect([...open]).toEqual([])
}

describe('whatever comes at whatever time', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => [seed]))('is read once, in order and in place (seed %i)', (seed) => {
    const life = new Life(seed)
    for (let n = 0; n < 4000 && life.state.outcome === undefined; n++) life.step()
    expect(life.state.outcome?.status).toBe('completed')
    const read = life.told.at(-1) ?? []
    const messages = read.flatMap(({ role, content }) =>
      role === 'user' && content.startsWith('message') ? [content] : [],
    )
    expect(messages).toEqual(Array.from({ length: life.sent }, (_, n) => `message ${n}`))
    life.told.forEach((one, index) => {
      expectServersTake(one)
      // What the model was told once stays what it was told: its next reading begins with it.
      expect(life.told[index + 1]?.slice(0, one.length) ?? one).toEqual(one)
    })
  })

  it('leaves nothing unread behind', () => {
    expect(stateOf(...begun, message('early'), answered('Hello')).mailbox).toEqual([])
  })
})
