import { setTimeout as delay } from 'node:timers/promises'
import { markWatched } from '../../src/db/queries/watched.ts'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { branchMission } from '../../src/missions/branch-mission.ts'
import { createMission } from '../../src/missions/create-mission.ts'
import { sendMessage } from '../../src/missions/send-message.ts'
import { goalOf, type Plan } from '../proof/agent.ts'
import { asking, CALLER, type Lane } from './lane.ts'

/**
 * Tools side by side, one that acts once, a question, a timer, and a look at the file that was written first. The last look
 * outlasts the slice, so that the mission is handed over after it, and a message comes while it lasts.
 */
const WHOLE: Plan = [
  [
    { tool: 'look', ms: 5 },
    { tool: 'put', ms: 10 },
    { tool: 'look', ms: 15 },
  ],
  [{ tool: 'act', ms: 5 }],
  [{ tool: 'ask', question: 'Go on?' }],
  [{ tool: 'sleep', seconds: 0.5 }],
  [{ tool: 'look', ms: 800 }],
]

/** Longer than any other slice takes, and less than the last look does. */
export const SLICE_MS = 700

/**
 * `whole`: the plan, a message and an answer in the middle of it, and then a fork from its last answer but one.
 * `watched`: one long answer that somebody reads while it is written.
 */
export type Scenario = 'whole' | 'watched'

/** The control poll, every 2 s, tells that somebody reads; what is written after it is shown 250 ms later. */
export const WATCHED_MODEL_MS = 3_500

interface Row {
  status: string
  epoch: number
  /** Numbers of the model's answers. */
  answered: number[]
}

const ROW = `
  select status, epoch, array(
    select seq from taskforce.events where mission_id = m.id and type = 'model.answered' order by seq) as answered
  from taskforce.missions m where id = $1`

/**
 * Has missions run to their ends, by whatever workers there are, and does what people do with them meanwhile. Gives their
 * ids as soon as they are there, in `ids`. Throws where the signal is aborted first.
 */
export async function play(lane: Lane, scenario: Scenario, ids: string[], signal: AbortSignal): Promise<void> {
  const id = await create(lane, scenario === 'whole' ? WHOLE : [])
  ids.push(id)
  if (scenario === 'watched') {
    await markWatched(lane.missions.databases.engine, [{ missionId: id, tenantId: CALLER.tenantId }], 600)
    return ended(lane, id, signal)
  }
  await converse(lane, id, signal)
  const seq = await askedForLastLook(lane, id, signal)
  if (seq === undefined) return
  await asking(lane, { kind: 'message', missionId: id }, () => sendMessage(lane.missions, CALLER, id, 'And now?'))
  await ended(lane, id, signal)
  const fork = await asking(
    lane,
    { kind: 'fork' },
    () => branchMission(lane.missions, CALLER, id, { how: 'fork', seq }),
    ({ mission }) => mission.id,
  )
  ids.push(fork.mission.id)
  await ended(lane, fork.mission.id, signal)
}

async function create(lane: Lane, plan: Plan): Promise<string> {
  const messages = [{ role: 'user' as const, content: goalOf(plan) }]
  const request = { messages, files: [], labels: {}, priority: 0 }
  const { mission } = await asking(
    lane,
    { kind: 'create' },
    () => createMission(lane.missions, CALLER, request),
    (created) => created.mission.id,
  )
  return mission.id
}

/** A message while it waits for an answer, and then the answer. */
async function converse(lane: Lane, id: string, signal: AbortSignal): Promise<void> {
  const before = await until(lane, id, signal, ({ status }) => status === 'waiting')
  if (before.status !== 'waiting') return
  await asking(lane, { kind: 'message', missionId: id }, () => sendMessage(lane.missions, CALLER, id, 'Be quick'))
  const read = await until(lane, id, signal, ({ status, epoch }) => status === 'waiting' && epoch > before.epoch)
  if (read.status !== 'waiting') return
  const [asked] = await lane.sql<{ questionId: string }>(
    `select data->>'questionId' as "questionId" from taskforce.events where mission_id = $1 and type = 'question.asked'`,
    [id],
  )
  const given = { questionId: asked?.questionId ?? '', answer: 'Yes' }
  await asking(lane, { kind: 'answer', missionId: id, ...given }, () =>
    answerQuestion(lane.missions, CALLER, id, given),
  )
}

async function ended(lane: Lane, id: string, signal: AbortSignal): Promise<void> {
  await until(lane, id, signal, () => false)
}

/** Waits until the mission is so, or has ended. */
async function until(lane: Lane, id: string, signal: AbortSignal, isSo: (row: Row) => boolean): Promise<Row> {
  for (;;) {
    const [row] = await lane.sql<Row>(ROW, [id])
    if (row === undefined) throw new Error(`The mission ${id} is not there`)
    if (isSo(row) || ['completed', 'failed', 'cancelled'].includes(row.status)) return row
    await delay(40, undefined, { signal })
  }
}

/** Waits for the answer after the timer; its number, or undefined where the mission has ended without it. */
async function askedForLastLook(lane: Lane, id: string, signal: AbortSignal): Promise<number | undefined> {
  const { answered } = await until(lane, id, signal, (row) => row.answered.length === WHOLE.length)
  return answered[WHOLE.length - 1]
}
