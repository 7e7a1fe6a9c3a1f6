import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EngineDb } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { isUniqueViolation } from '../../src/db/pg-errors.ts'
import {
  appendInTransaction,
  appendUnderLease,
  appendWithTransition,
  type Lease,
} from '../../src/db/queries/append-events.ts'
import { claimMission } from '../../src/db/queries/claim-mission.ts'
import { beat } from '../../src/db/queries/instances.ts'
import { readEvents, readWatched } from '../../src/db/queries/read-events.ts'
import { createWorld, type World } from '../support/engine.ts'
import { event, finished } from '../support/journal.ts'

const ended = { status: 'completed', wakeInSeconds: null, release: true, ended: true }
const started = event('mission.started', { instance: 'i' })

let world: World
let db: EngineDb
let lease: Lease

beforeAll(async () => {
  world = await createWorld()
  db = world.missions.databases.engine
})
afterAll(() => world.stop())
beforeEach(async () => {
  const instance = randomUUID()
  await beat(db, { id: instance, version: '0', host: 'test' }, 60)
  await world.create()
  const claim = await claimMission(db, instance)
  lease = { missionId: claim?.missionId ?? '', epoch: claim?.epoch ?? 0, instance }
})

const seqs = async () => (await world.events(lease.missionId)).map(({ seq }) => seq)
const conflict = (append: Promise<unknown>) => expect(append).rejects.toSatisfy(isUniqueViolation)

describe('an append under a lease', () => {
  it('goes in behind the number that it states, and comes back as it was recorded', async () => {
    const recorded = await appendUnderLease(db, lease, 1, [started, finished('c0', 'x')])
    const rows = await world.events(lease.missionId)
    expect(recorded?.map(({ seq, type, data }) => ({ seq, type, data }))).toEqual(
      rows.slice(1).map(({ seq, type, data }) => ({ seq, type, data })),
    )
    expect((await readEvents(db, lease.missionId, 1)).map(({ at }) => at)).toEqual(recorded?.map(({ at }) => at))
  })

  it('is refused under an epoch or an owner that is not the current one', async () => {
    expect(await appendUnderLease(db, { ...lease, epoch: lease.epoch - 1 }, 1, [started])).toBeUndefined()
    expect(await appendUnderLease(db, { ...lease, instance: randomUUID() }, 1, [started])).toBeUndefined()
    expect(await appendWithTransition(db, { ...lease, epoch: 99 }, 1, [started], ended)).toBeUndefined()
    expect(await appendWithTransition(db, { ...lease, instance: randomUUID() }, 1, [started], ended)).toBeUndefined()
    expect(await seqs()).toEqual([1])
    expect(await world.row(lease.missionId)).toMatchObject({ status: 'running', owner: lease.instance })
  })

  it('goes in whole or not at all where another writer has one of its numbers', async () => {
    await appendUnderLease(db, lease, 1, [started])
    await conflict(appendUnderLease(db, lease, 0, [started, started]))
    await conflict(appendUnderLease(db, lease, 1, [started, started]))
    expect(await seqs()).toEqual([1, 2])
  })

  it('changes the row in the same commit, and neither where the number is taken', async () => {
    await conflict(appendWithTransition(db, lease, 0, [started], ended))
    expect(await world.row(lease.missionId)).toMatchObject({ status: 'running', owner: lease.instance })
    await appendWithTransition(db, lease, 1, [started], { ...ended, summary: { lastSeq: 2 } })
    expect(await world.row(lease.missionId)).toMatchObject({
      status: 'completed',
      owner: null,
      wakeInMs: null,
      summary: { lastSeq: 2 },
    })
    expect(await seqs()).toEqual([1, 2])
  })

  it('and one from outside that want the same number are decided by the journal', async () => {
    const outside = event('question.answered', { questionId: 'q', answer: 1, by: 'x' })
    const { tenantId } = world.caller
    const results = await Promise.allSettled([
      appendUnderLease(db, lease, 1, [started]),
      inTenant(world.missions.databases.api, tenantId, (tx) => appendInTransaction(tx, lease.missionId, 1, [outside])),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await seqs()).toEqual([1, 2])
  })
})

describe('text that jsonb refuses', () => {
  const table: [name: string, given: string, stored: string][] = [
    ['U+0000', 'a\u0000b', 'a\ufffdb'],
    ['two of them', '\u0000\u0000', '\ufffd\ufffd'],
    ['the first half of a pair', 'a\ud83d', 'a\ufffd'],
    ['the second half of a pair', '\ude00b', '\ufffdb'],
    ['halves in the wrong order', '\ude00\ud83d', '\ufffd\ufffd'],
    ['U+0000 behind a backslash', '\\\u0000', '\\\ufffd'],
    ['U+0000 behind two backslashes', '\\\\\u0000', '\\\\\ufffd'],
  ]
  it.each(table)('is stored with U+FFFD in place of %s', async (_, given, stored) => {
    const recorded = await appendUnderLease(db, lease, 1, [finished('c0', given)])
    const [, row] = await world.events(lease.missionId)
    expect(row?.data).toMatchObject({ output: stored })
    expect(recorded?.[0]?.data).toEqual(row?.data)
  })

  it.each([
    ['a whole pair', 'a\u{1f600}b'],
    ['the escape spelled out', String.raw`\u0000 and \ud83d`],
    ['the escape behind two backslashes', String.raw`\\u0000`],
    ['other control characters', '\u0001\u001f\u007f\u2028'],
  ])('is not taken for %s', async (_, given) => {
    await appendUnderLease(db, lease, 1, [finished('c0', given)])
    expect((await world.events(lease.missionId))[1]?.data).toMatchObject({ output: given })
  })

  it('may stand in keys, in what comes from outside, and in the summary', async () => {
    const answer = { 'k\u0000': ['\ud800'] }
    await inTenant(world.missions.databases.api, world.caller.tenantId, (tx) =>
      appendInTransaction(tx, lease.missionId, 1, [event('question.answered', { questionId: 'q', answer, by: 'x' })]),
    )
    const summary = { result: { text: 'a\u0000' } }
    await appendWithTransition(db, lease, 2, [event('mission.completed', { result: { text: 'a\u0000' } })], {
      ...ended,
      summary,
    })
    expect((await world.events(lease.missionId))[1]?.data).toMatchObject({ answer: { 'k\ufffd': ['\ufffd'] } })
    expect(await world.row(lease.missionId)).toMatchObject({ summary: { result: { text: 'a\ufffd' } } })
  })
})

describe('reading events', () => {
  it('gives pages in order', async () => {
    await appendUnderLease(db, lease, 1, [started, finished('a', '1'), finished('b', '2')])
    expect((await readEvents(db, lease.missionId, 1, 2)).map(({ seq }) => seq)).toEqual([2, 3])
    expect((await readEvents(db, lease.missionId, 3)).map(({ seq }) => seq)).toEqual([4])
  })

  it('gives many watchers what each of them misses, in one statement', async () => {
    await appendUnderLease(db, lease, 1, [started, finished('a', '1')])
    const other = await world.create()
    const rows = await readWatched(
      db,
      [
        { missionId: lease.missionId, afterSeq: 1 },
        { missionId: other, afterSeq: 0 },
        { missionId: randomUUID(), afterSeq: 0 },
      ],
      1,
    )
    expect(rows.map(({ missionId, seq }) => [missionId, seq]).sort()).toEqual(
      [
        [lease.missionId, 2],
        [other, 1],
      ].sort(),
    )
    await world.sql('update taskforce.missions set wake_at = null where id = $1', [other])
  })
})
