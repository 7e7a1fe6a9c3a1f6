import type { MissionState } from '../../src/domain/state.ts'
import { summarise } from '../../src/domain/summary.ts'
import { waitingForCalls } from '../../src/domain/waiting.ts'
import { foldLine } from '../../src/engine/fold-line.ts'
import { START } from '../support/journal.ts'
import type { EventRecord, History, MissionRecord, Request, ToolRun } from './history.ts'
import { LIVES, OTHER_TENANT, TENANT, type Told } from './legal-lives.ts'

/** The recorder's clock is at 0 when the database's is at START. */
export const ENDED_MS = 1_000_000

/** The missions of legal-lives.ts and all that goes with them, with nothing wrong; a new one each time, to be broken at will. */
export function legalHistory(): History {
  const lives = Object.entries(LIVES).map(([id, { tenantId = TENANT, told }]) => {
    return {
      id,
      tenantId,
      events: told.map((one, index) => recordOf(one, { missionId: id, tenantId, seq: index + 1 })),
    }
  })
  const history: History = {
    missions: [],
    events: structuredClone(lives.flatMap(({ events }) => events)),
    claims: ['whole/3.2', 'acting/3.0', 'acting/6.0'],
    living: ['i3'],
    toolRuns: toolRuns(),
    requests: [...lives.map(({ id, tenantId }) => creation(id, tenantId)), ...requests()],
    reads: [],
    faults: [
      { kind: 'kill', instance: 'i1', at: 8_000, owned: [{ missionId: 'acting', epoch: 1 }] },
      { kind: 'freeze', instance: 'i2', at: 101_000, until: 155_000 },
      { kind: 'database-down', at: 60_000, until: 62_000 },
    ],
    poisoned: 0,
    healedAt: 200_000,
    endedAt: ENDED_MS,
    databaseNow: START + ENDED_MS,
  }
  history.missions.push(...lives.map(({ id }) => rowOf(history, id)))
  history.reads.push(readOf(history, 'whole', true), readOf(history, 'cancelled', false))
  return history
}

function recordOf({ s, epoch, draft }: Told, of: Pick<EventRecord, 'missionId' | 'tenantId' | 'seq'>): EventRecord {
  return { ...of, ...draft, v: 1, epoch, at: START + s * 1000 }
}

function toolRuns(): ToolRun[] {
  const effects = { look: 'read', put: 'idempotent', act: 'once' } as const
  const run = (missionId: string, key: string, tool: keyof typeof effects, s: number, over: Partial<ToolRun> = {}) => {
    const [begunAt, endedAt] = [s * 1000, s * 1000 + 500]
    const ran = {
      missionId,
      key,
      tool,
      effect: effects[tool],
      instance: 'i3',
      begunAt,
      endedAt,
      outcome: 'done' as const,
    }
    return { ...ran, ...over }
  }
  return [
    run('whole', '3.0', 'look', 2.1),
    run('whole', '3.1', 'put', 2.1, { outcome: 'failed' }),
    run('whole', '3.1', 'put', 3.1),
    run('whole', '3.2', 'act', 3.1),
    run('cancelled', '7.0', 'put', 7.5),
    run('cancelled', '11.0', 'look', 100, { instance: 'i2', endedAt: 155_000, outcome: 'aborted' }),
    run('cancelled', '11.0', 'look', 150, { endedAt: 161_000, outcome: 'aborted' }),
    run('fork2', '0.0', 'look', 51.1),
    run('fork2', '0.1', 'put', 51.1),
    run('acting', '3.0', 'act', 3.1, { instance: 'i1', outcome: 'failed' }),
    run('acting', '6.0', 'act', 7.1, { instance: 'i1', endedAt: undefined, outcome: undefined }),
    run('limited', '3.0', 'look', 2.1),
  ]
}

function creation(missionId: string, tenantId: string): Request {
  const kind = missionId.startsWith('fork') ? 'fork' : 'create'
  return { kind, missionId, tenantId, outcome: 'accepted', at: 10, idempotencyKey: missionId }
}

function requests(): Request[] {
  const said = (missionId: string, kind: Request['kind'], s: number, over: Partial<Request> = {}): Request => {
    return { kind, missionId, tenantId: TENANT, outcome: 'accepted', at: s * 1000 + 100, ...over }
  }
  const blue = { questionId: 'q8-0', answer: { colour: 'blue' } }
  return [
    said('whole', 'answer', 9, blue),
    said('whole', 'answer', 9, { ...blue, answer: { colour: 'red' }, outcome: 'refused', code: 'already_answered' }),
    said('acting', 'answer', 51, { questionId: 'u6-0', answer: { outcome: 'happened' }, outcome: 'unknown' }),
    said('cancelled', 'message', 4, { idempotencyKey: 'm', outcome: 'unknown' }),
    said('cancelled', 'message', 5, { idempotencyKey: 'm' }),
    said('cancelled', 'pause', 7),
    said('cancelled', 'pause', 8),
    said('cancelled', 'resume', 9, { outcome: 'unknown' }),
    said('cancelled', 'cancel', 160),
    said('paused', 'pause', 2, { tenantId: OTHER_TENANT }),
    said('whole', 'cancel', 30, { outcome: 'refused', code: 'illegal_state' }),
  ]
}

/** The row that goes with a journal. */
export function rowOf(history: History, id: string): MissionRecord {
  const events = history.events.filter(({ missionId }) => missionId === id)
  const state = foldLine(lineOf(history, id))
  const last = events.at(-1)
  const { outcome, paused, forkedFrom, startedAt = null, endedAt = null } = state
  const status = outcome?.status ?? (paused ? 'paused' : 'waiting')
  const inbox = events.filter(({ type }) => /\.(answered|message|paused|resumed|cancelled)$/.test(type)).length
  return {
    id,
    status,
    tenantId: events[0]?.tenantId ?? '',
    // A cancel begins an epoch that nobody writes under.
    epoch: (last?.epoch ?? 0) + (status === 'cancelled' ? 1 : 0),
    owner: null,
    wakeAt: status === 'waiting' ? waitingForCalls(state).wakeAt : null,
    inbox: inbox - events.filter(({ type }) => type === 'model.answered').length,
    crashes: 0,
    summary: JSON.parse(JSON.stringify(summarise(state))) as Record<string, unknown>,
    profileHash: 'h',
    startedAt,
    endedAt,
    forkedFrom: forkedFrom?.id ?? null,
    forkedSeq: forkedFrom?.seq ?? null,
  }
}

function lineOf({ events }: History, id: string, upto = Infinity): EventRecord[][] {
  const own = events.filter(({ missionId, seq }) => missionId === id && seq <= upto)
  const { forkedFrom } = (own[0]?.data ?? {}) as Partial<MissionState>
  return forkedFrom === undefined ? [own] : [own, ...lineOf({ events } as History, forkedFrom.id, forkedFrom.seq)]
}

/** What a reader has got of a journal. */
export function readOf({ events }: History, id: string, whole: boolean): History['reads'][number] {
  const own = events.filter(({ missionId }) => missionId === id).map(({ seq, type }) => ({ seq, type }))
  return { missionId: id, events: whole ? own : own.slice(0, 5), whole }
}
