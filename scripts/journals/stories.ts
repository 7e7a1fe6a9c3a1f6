import { RetryableError, TerminalError } from '../../src/domain/errors.ts'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import { call, say, type Stage } from './stage.ts'

/** Plays a mission and gives its id. */
export type Story = (stage: Stage) => Promise<string>

const INVOICES = 'customer,amount\nAcme,120.50\nBolt,80\nAcme,19.50\n'
const HOUR_MS = 3_600_000

/** One for each way that a mission takes; those that are not over are in the middle of it, as missions are at a deployment. */
export const stories = {
  'say-hello': (stage) => play(stage, 'Say hello', say('Hello!')),
  'totals-with-files': playTotals,
  'plan-of-two-items': (stage) =>
    play(stage, 'Make a plan and work through it', plan('in_progress', 'pending'), plan('done', 'in_progress')),
  'ask-and-answer': playAnswer,
  'ask-and-wait': (stage) => play(stage, 'Ask me', call(['ask_user', { question: 'Which colour?' }])),
  'question-expired': (stage) => playExpired(stage, { defaultAnswer: 'blue' }),
  'question-expired-without-answer': (stage) => playExpired(stage, {}),
  'wait-and-go-on': playWait,
  'wait-asleep': (stage) => play(stage, 'Wait an hour', call(['wait', { seconds: 3600 }])),
  'tool-failures': playToolFailures,
  'model-fails-and-recovers': playModelFailure,
  'model-fails-and-waits': (stage) => play(stage, 'Say hello', overloaded()),
  'model-refuses': (stage) => play(stage, 'Say hello', new TerminalError('model_refused', 'The key is wrong.')),
  'limit-of-steps': playLimit,
  cancelled: playCancel,
  'crash-loop': playCrashes,
  'once-unknown': playUnknown,
  'stumbles-and-recovers': (stage) =>
    play(stage, 'Say hello', say(''), say('Hel', { finishReason: 'length' }), call(['rm', {}]), say('Hello!')),
  'stumbles-and-gives-up': (stage) => play(stage, 'Say hello', ...Array.from({ length: 10 }, () => say(''))),
} satisfies Readonly<Record<string, Story>>

/** Journals that end in the middle of a story, as they are where a deployment falls between two events. */
export const cuts: Readonly<Record<string, { of: keyof typeof stories; events: number }>> = {
  'not-started': { of: 'say-hello', events: 1 },
  'model-not-asked': { of: 'say-hello', events: 2 },
  'calls-not-begun': { of: 'totals-with-files', events: 3 },
  'one-call-done': { of: 'totals-with-files', events: 4 },
  'once-begun': { of: 'once-unknown', events: 4 },
  'answer-not-read': { of: 'ask-and-answer', events: 5 },
  'end-not-written': { of: 'say-hello', events: 3 },
}

async function play(stage: Stage, goal: string, ...said: Parameters<Stage['run']>): Promise<string> {
  const id = await stage.create(goal)
  await stage.run(...said)
  return id
}

async function playTotals(stage: Stage): Promise<string> {
  const id = await stage.create('Total these invoices by customer', {
    files: [{ name: 'invoices.csv', bytes: Buffer.from(INVOICES) }],
    labels: { team: 'billing' },
    metadata: { ticket: 7 },
  })
  const totals = { groupBy: ['customer'], aggregate: [{ column: 'amount', op: 'sum', as: 'total' }] }
  await stage.run(
    call(['list_files', {}], ['query_table', { file: 'invoices.csv', ...totals }]),
    { ...call(['write_file', { name: 'totals.md', content: 'Acme 140, Bolt 80' }]), text: 'I write it down.' },
    say('Acme owes most: 140.'),
  )
  return id
}

function plan(...statuses: string[]) {
  return call([
    'make_plan',
    { items: statuses.map((status, n) => ({ id: `${n + 1}`, title: `Part ${n + 1}`, status })) },
  ])
}

async function playAnswer(stage: Stage): Promise<string> {
  const id = await play(stage, 'Ask me', call(['ask_user', { question: 'Which colour?' }]))
  await answerQuestion(stage.missions, stage.caller, id, { questionId: await openQuestion(stage, id), answer: 'green' })
  await stage.run(say('You like green.'))
  return id
}

async function openQuestion({ missions, caller }: Stage, id: string): Promise<string> {
  const { questions = [] } = await readMission(missions, caller, id)
  return questions[0]?.questionId ?? ''
}

async function playExpired(stage: Stage, over: object): Promise<string> {
  const question = { question: 'Which colour?', deadlineSeconds: 3600, ...over }
  const id = await play(stage, 'Ask me', call(['ask_user', question]))
  await stage.letTimePass(id, HOUR_MS)
  await stage.run(say('Blue, then.'))
  return id
}

async function playWait(stage: Stage): Promise<string> {
  const id = await play(stage, 'Wait an hour', call(['wait', { seconds: 3600 }]))
  await stage.letTimePass(id, HOUR_MS)
  await stage.run(say('An hour has passed.'))
  return id
}

function playToolFailures(stage: Stage): Promise<string> {
  const wrong = call(['fetch_moon', {}], ['read_file', '{"name": "a'], ['read_file', { nam: 'a' }], ['look_up', {}])
  return play(stage, 'Look it up', wrong, call(['read_file', { name: 'missing.txt' }]), say('I found nothing.'))
}

function overloaded(): RetryableError {
  return new RetryableError('model_overloaded', 'The server is overloaded.', {
    retryAfterMs: 5_000,
    spent: { inputTokens: 50, outputTokens: 0 },
  })
}

async function playModelFailure(stage: Stage): Promise<string> {
  const id = await play(stage, 'Say hello', overloaded())
  await stage.letTimePass(id, HOUR_MS)
  await stage.run(say('Hello!'))
  return id
}

async function playLimit(stage: Stage): Promise<string> {
  const id = await stage.create('Work it out', { limits: { steps: 2 } })
  const sum = { ...call(['calculate', { expression: '1 + 1' }]), text: 'So far: two.' }
  await stage.run(sum, sum, sum)
  return id
}

async function playCancel(stage: Stage): Promise<string> {
  const id = await play(stage, 'Ask me', call(['ask_user', { question: 'Which colour?' }]))
  await cancelMission(stage.missions, stage.caller, id, 'no longer needed')
  return id
}

async function playCrashes(stage: Stage): Promise<string> {
  const id = await stage.create('Say hello')
  for (let death = 1; death <= 5; death++) await stage.crash()
  await stage.run()
  return id
}

async function playUnknown(stage: Stage): Promise<string> {
  const id = await stage.create('Charge them')
  await stage.runAndDie(call(['charge', { amount: 7 }]))
  return id
}
