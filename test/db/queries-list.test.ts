import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inTenant } from '../../src/db/in-tenant.ts'
import { readProgress } from '../../src/db/queries/missions.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { fold } from '../../src/domain/evolve.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { listMissions } from '../../src/missions/list-missions.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import { callTools, createWorld, script, type World } from '../support/engine.ts'
import { created, event, finished, journal, started } from '../support/journal.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.stop())

async function insert(id: string, drafts: EventDraft[]): Promise<void> {
  await world.sql('delete from taskforce.events where mission_id = $1', [id])
  await world.sql(
    `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
     select $1, u.n, 0, 1, u.type, u.data, $2 from unnest($3::text[], $4::jsonb[]) with ordinality u(type, data, n)`,
    [id, world.caller.tenantId, drafts.map(({ type }) => type), drafts.map(({ data }) => JSON.stringify(data))],
  )
}

/** How a call can end, by the events that it leaves; `n` makes ids differ. */
const endings: Record<string, (callId: string, n: number) => EventDraft[]> = {
  finished: (callId) => [finished(callId, 'x')],
  failed: (callId) => [event('tool.failed', { callId, name: 't', error: { code: 'c', message: 'm' }, durationMs: 1 })],
  unknown: (callId) => [
    event('tool.started', { callId, name: 't', key: 'k' }),
    event('tool.unknown', { callId, name: 't', key: 'k' }),
  ],
  planned: (callId) => [event('plan.updated', { callId, items: [] })],
  answered: (callId, n) => [asked(callId, n), event('question.answered', { questionId: `q${n}`, answer: 1, by: 'x' })],
  expired: (callId, n) => [asked(callId, n), event('question.expired', { questionId: `q${n}` })],
  open: (callId, n) => [asked(callId, n)],
  waited: (callId, n) => [
    event('timer.set', { timerId: `t${n}`, callId, until: '2026-11-23T10:00:00.000Z' }),
    event('timer.fired', { timerId: `t${n}` }),
  ],
}

function asked(callId: string, n: number): EventDraft {
  const data = { questionId: `q${n}`, callId, kind: 'question' as const, text: '?', schema: {} }
  return event('question.asked', { ...data, onDeadline: { action: 'continue' } })
}

const turn = fc.record({
  calls: fc.array(fc.constantFrom(...Object.keys(endings)), { maxLength: 4 }),
  failures: fc.nat(2),
  inputTokens: fc.nat(2_000_000_000),
  outputTokens: fc.nat(2_000_000_000),
  micros: fc.bigInt(0n, 10n ** 15n),
})

function eventsOf(turns: (typeof turn extends fc.Arbitrary<infer T> ? T : never)[]): EventDraft[] {
  let n = 0
  return [created(), started()].concat(
    turns.flatMap(({ calls, failures, inputTokens, outputTokens, micros }) => {
      const costUsd = `${micros / 10n ** 12n}.${String(micros % 10n ** 12n).padStart(12, '0')}`
      const failure = event('model.failed', {
        model: 'm',
        error: { code: 'c', message: 'm' },
        retry: true,
        durationMs: 1,
      })
      const answer = event('model.answered', {
        model: 'm',
        toolCalls: calls.map((_, index) => ({ id: `c${index}`, name: 't', arguments: '{}' })),
        usage: { inputTokens, outputTokens, costUsd },
        durationMs: 1,
      })
      const results = calls.flatMap((how, index) => endings[how]?.(`c${index}`, n++) ?? [])
      return [...Array.from({ length: failures }, () => failure), answer, ...results]
    }),
  )
}

describe('what a list says of a mission', () => {
  it('on its way is what its journal says', async () => {
    const id = await world.create('counted')
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 5 }), async (turns) => {
        const drafts = eventsOf(turns)
        await insert(id, drafts)
        const { seq, usage } = fold(journal(...drafts))
        const [progress] = await inTenant(world.missions.databases.api, world.caller.tenantId, (tx) =>
          readProgress(tx, [id]),
        )
        expect(progress).toEqual({ missionId: id, lastSeq: seq, ...usage })
      }),
      { numRuns: 40 },
    )
    await world.sql('update taskforce.missions set wake_at = null where id = $1', [id])
  })

  it('is the same as what the mission itself says, while it waits and when it has ended', async () => {
    const ids = [await world.create('one'), await world.create('two')]
    const ask = script(callTools(['make_plan', {}], ['ask_user', { question: 'Which?' }]))
    expect(await world.engine({ model: ask }).run()).toEqual(['waiting', 'waiting'])
    await cancelMission(world.missions, world.caller, ids[1] as string, 'enough')
    const { items } = await listMissions(world.missions, world.caller, { limit: 100 })
    for (const id of ids) {
      const { questions: _, ...whole } = await readMission(world.missions, world.caller, id)
      expect(items.find((item) => item.id === id)).toEqual(whole)
    }
  })

  it('comes in pages that neither repeat nor leave out, newest first, by status and label', async () => {
    const ids: string[] = []
    for (let n = 0; n < 7; n++)
      ids.unshift(await world.create(`page ${n}`, { labels: { set: n % 2 ? 'odd' : 'even' } }))
    await world.sql(`update taskforce.missions set created_at = now() where goal like 'page %'`)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listMissions(world.missions, world.caller, { limit: 2, labels: { set: 'even' }, cursor })
      seen.push(...page.items.map(({ goal }) => goal))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(seen.sort()).toEqual(['page 0', 'page 2', 'page 4', 'page 6'])
    const waiting = await listMissions(world.missions, world.caller, { limit: 100, status: 'waiting' })
    expect(waiting.items.map(({ goal }) => goal)).toEqual(['one'])
  })
})
