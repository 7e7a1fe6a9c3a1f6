import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EngineDb } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { isUniqueViolation } from '../../src/db/pg-errors.ts'
import { appendInTransaction, appendUnderLeases, type Lease } from '../../src/db/queries/append-events.ts'
import { claimMissions } from '../../src/db/queries/claim-mission.ts'
import { beat } from '../../src/db/queries/instances.ts'
import { readEvents } from '../../src/db/queries/read-events.ts'
import { storable } from '../../src/db/queries/storable.ts'
import { appendAlone, claimOne, createWorld, type World } from '../support/engine.ts'
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
  const claim = await claimOne(db, instance)
  lease = { missionId: claim?.missionId ?? '', epoch: claim?.epoch ?? 0, instance }
})

const seqs = async () => (await world.events(lease.missionId)).map(({ seq }) => seq)
const conflict = (append: Promise<unknown>) => expect(append).rejects.toSatisfy(isUniqueViolation)

describe('an append under a lease', () => {
  it('goes in behind the number that it states, and comes back as it was recorded', async () => {
    const recorded = await appendAlone(db, lease, 2, [started, finished('c0', 'x')])
    const rows = await world.events(lease.missionId)
    expect(recorded?.map(({ seq, type, data }) => ({ seq, type, data }))).toEqual(
      rows.slice(2).map(({ seq, type, data }) => ({ seq, type, data })),
    )
    expect((await readEvents(db, lease.missionId, 2)).map(({ at }) => at)).toEqual(recorded?.map(({ at }) => at))
  })

  it('is refused under an epoch or an owner that is not the current one', async () => {
    expect(await appendAlone(db, { ...lease, epoch: lease.epoch - 1 }, 2, [started])).toBeUndefined()
    expect(await appendAlone(db, { ...lease, instance: randomUUID() }, 2, [started])).toBeUndefined()
    expect(await appendAlone(db, { ...lease, epoch: 99 }, 2, [started], ended)).toBeUndefined()
    expect(await appendAlone(db, { ...lease, instance: randomUUID() }, 2, [started], ended)).toBeUndefined()
    expect(await seqs()).toEqual([1, 2])
    expect(await world.row(lease.missionId)).toMatchObject({ status: 'running', owner: lease.instance })
  })

  it('goes in whole or not at all where another writer has one of its numbers', async () => {
    await appendAlone(db, lease, 2, [started])
    await conflict(appendAlone(db, lease, 1, [started, started]))
    await conflict(appendAlone(db, lease, 2, [started, started]))
    expect(await seqs()).toEqual([1, 2, 3])
  })

  it('changes the row in the same commit, and neither where the number is taken', async () => {
    await conflict(appendAlone(db, lease, 1, [started], ended))
    expect(await world.row(lease.missionId)).toMatchObject({ status: 'running', owner: lease.instance })
    await appendAlone(db, lease, 2, [started], { ...ended, summary: { lastSeq: 3 } })
    expect(await world.row(lease.missionId)).toMatchObject({
      status: 'completed',
      owner: null,
      wakeInMs: null,
      summary: { lastSeq: 3 },
    })
    expect(await seqs()).toEqual([1, 2, 3])
  })

  it('and one from outside that want the same number are decided by the journal', async () => {
    const outside = event('question.answered', { questionId: 'q', answer: 1, by: 'x' })
    const { tenantId } = world.caller
    const results = await Promise.allSettled([
      appendAlone(db, lease, 2, [started]),
      inTenant(world.missions.databases.api, tenantId, (tx) => appendInTransaction(tx, lease.missionId, 2, [outside])),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await seqs()).toEqual([1, 2, 3])
  })
})

describe('appends of several missions in one statement', () => {
  /** Three leases of one instance. */
  async function threeLeases(): Promise<Lease[]> {
    const { instance } = lease
    await Promise.all([world.create(), world.create()])
    const claims = await claimMissions(db, instance, 2)
    return [lease, ...claims.map(({ missionId, epoch }) => ({ missionId, epoch, instance }))]
  }
  const one = [storable(finished('c0', 'x'))]
  const two = [...one, storable(finished('c1', 'y'))]

  it('are told apart: recorded, refused with its change, and lost', async () => {
    const [a, b, c] = (await threeLeases()) as [Lease, Lease, Lease]
    const times = await appendUnderLeases(db, [
      { lease: a, afterSeq: 2, events: two },
      { lease: b, afterSeq: 2, events: one, change: { ...ended, inbox: 99 } },
      { lease: { ...c, epoch: 99 }, afterSeq: 2, events: one },
    ])
    expect(times.map((time) => time?.length)).toEqual([2, undefined, undefined])
    expect((await world.events(a.missionId)).map(({ seq, at }) => [seq, Math.trunc(at)]).slice(2)).toEqual([
      [3, times[0]?.[0]],
      [4, times[0]?.[1]],
    ])
    for (const { missionId } of [b, c]) expect(await world.types(missionId)).toHaveLength(2)
    expect(await world.row(b.missionId)).toMatchObject({ status: 'running' })
  })

  it('change their rows, with events and without', async () => {
    const [a, b, c] = (await threeLeases()) as [Lease, Lease, Lease]
    const waiting = { status: 'waiting', wakeInSeconds: 60, release: true, inbox: 0 }
    const times = await appendUnderLeases(db, [
      { lease: a, afterSeq: 2, events: one, change: ended },
      { lease: b, afterSeq: 2, events: [], change: waiting },
      { lease: c, afterSeq: 2, events: one },
    ])
    expect(times.map((time) => time?.length)).toEqual([1, 0, 1])
    expect(await world.row(a.missionId)).toMatchObject({ status: 'completed', owner: null })
    expect(await world.row(b.missionId)).toMatchObject({ status: 'waiting', owner: null })
    expect(await world.row(c.missionId)).toMatchObject({ status: 'running', owner: lease.instance })
  })

  it('go in all or none where one of them finds its number taken', async () => {
    const [a, b] = (await threeLeases()) as [Lease, Lease]
    await appendAlone(db, b, 2, [started])
    const both = [a, b].map((of) => ({ lease: of, afterSeq: 2, events: two, change: ended }))
    await conflict(appendUnderLeases(db, both))
    expect(await world.types(a.missionId)).toHaveLength(2)
    expect(await world.row(a.missionId)).toMatchObject({ status: 'running' })
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
    const recorded = await appendAlone(db, lease, 2, [finished('c0', given)])
    const [, , row] = await world.events(lease.missionId)
    expect(row?.data).toMatchObject({ output: stored })
    expect(recorded?.[0]?.data).toEqual(row?.data)
  })

  it.each([
    ['a whole pair', 'a\u{1f600}b'],
    ['the escape spelled out', String.raw`\u0000 and \ud83d`],
    ['the escape behind two backslashes', String.raw`\\u0000`],
    ['other control characters', '\u0001\u001f\u007f\u2028'],
  ])('is not taken for %s', async (_, given) => {
    await appendAlone(db, lease, 2, [finished('c0', given)])
    expect((await world.events(lease.missionId))[2]?.data).toMatchObject({ output: given })
  })

  it('may stand in keys, in what comes from outside, and in the summary', async () => {
    const answer = { 'k\u0000': ['\ud800'] }
    await inTenant(world.missions.databases.api, world.caller.tenantId, (tx) =>
      appendInTransaction(tx, lease.missionId, 2, [event('question.answered', { questionId: 'q', answer, by: 'x' })]),
    )
    const summary = { result: { text: 'a\u0000' } }
    await appendAlone(db, lease, 3, [event('mission.completed', { result: { text: 'a\u0000' } })], {
      ...ended,
      summary,
    })
    expect((await world.events(lease.missionId))[2]?.data).toMatchObject({ answer: { 'k\ufffd': ['\ufffd'] } })
    expect(await world.row(lease.missionId)).toMatchObject({ summary: { result: { text: 'a\ufffd' } } })
  })
})

describe('reading events', () => {
  it('gives pages in order', async () => {
    await appendAlone(db, lease, 2, [started, finished('a', '1'), finished('b', '2')])
    expect((await readEvents(db, lease.missionId, 2, 2)).map(({ seq }) => seq)).toEqual([3, 4])
    expect((await readEvents(db, lease.missionId, 4)).map(({ seq }) => seq)).toEqual([5])
  })
})
