import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inTenant } from '../../../src/db/in-tenant.ts'
import { isUniqueViolation } from '../../../src/db/pg-errors.ts'
import { appendInTransaction, appendUnderLeases, type Lease } from '../../../src/db/queries/append-events.ts'
import { abandonMission } from '../../../src/db/queries/release-mission.ts'
import { lockMission, wakeMission } from '../../../src/db/queries/missions.ts'
import { readBack, wasReleased } from '../../../src/db/queries/read-back.ts'
import { readEvents } from '../../../src/db/queries/read-events.ts'
import { storable } from '../../../src/db/queries/storable.ts'
import { event } from '../../support/journal.ts'
import { appendAlone } from '../../support/engine.ts'
import { CALLER, groundOn, NOBODY, said, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

const ended = { status: 'completed', wakeInSeconds: null, release: true, ended: true }
const waiting = { status: 'waiting', wakeInSeconds: 60, release: true }

describe.each(stores)('an append under a lease, %s', (_, open) => {
  let store: Store
  let ground: Ground
  let lease: Lease
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => {
    ground = await groundOn(store)
    await ground.create()
    lease = (await ground.claim(await ground.alive())).lease
    await ground.store.pass(1000)
  })

  const seqs = async () =>
    (await ground.store.events()).filter(({ missionId }) => missionId === lease.missionId).map(({ seq }) => seq)
  const conflict = (work: Promise<unknown>) => expect(work).rejects.toSatisfy(isUniqueViolation)

  it('is recorded as it stands, one event or several, at the time of its statement', async () => {
    const one = await appendAlone(ground.db, lease, 2, [said('a')])
    await ground.store.pass(5)
    const two = await appendAlone(ground.db, lease, 3, [said('b'), said('c')])
    expect([...(one ?? []), ...(two ?? [])].map(({ seq, at }) => [seq, at])).toEqual([
      [3, START + 1000],
      [4, START + 1005],
      [5, START + 1005],
    ])
    const rows = (await ground.store.events()).slice(2)
    expect(rows).toMatchObject([one?.[0], two?.[0], two?.[1]].map((recorded) => ({ ...recorded, epoch: 1, v: 1 })))
  })

  it('is refused under another epoch, another owner and an unknown mission', async () => {
    const wrong = [
      { ...lease, epoch: 0 },
      { ...lease, epoch: 2 },
      { ...lease, instance: NOBODY },
      { ...lease, missionId: NOBODY },
    ]
    for (const stale of wrong) {
      expect(await appendAlone(ground.db, stale, 2, [said('a')])).toBeUndefined()
      expect(await appendAlone(ground.db, stale, 2, [said('a'), said('b')])).toBeUndefined()
      expect(await appendAlone(ground.db, stale, 2, [said('a')], ended)).toBeUndefined()
      expect(await appendAlone(ground.db, stale, 2, [], { ...waiting, inbox: 0 })).toBeUndefined()
    }
    expect(await seqs()).toEqual([1, 2])
    expect(await ground.row(lease.missionId)).toMatchObject({ status: 'running', owner: lease.instance, epoch: 1 })
  })

  it('goes on under an owner whose row has expired, until somebody takes over', async () => {
    await ground.store.pass(60_000)
    expect(await appendAlone(ground.db, lease, 2, [said('a')])).toHaveLength(1)
    await ground.claim(await ground.alive())
    expect(await appendAlone(ground.db, lease, 3, [said('b')])).toBeUndefined()
    expect(await appendAlone(ground.db, lease, 3, [said('b')], ended)).toBeUndefined()
  })

  it('goes in whole or not at all where a number is taken, and the row stays as it is', async () => {
    await appendAlone(ground.db, lease, 2, [said('a')])
    await conflict(appendAlone(ground.db, lease, 2, [said('b')]))
    await conflict(appendAlone(ground.db, lease, 1, [said('b'), said('c'), said('d')]))
    await conflict(appendAlone(ground.db, lease, 2, [said('b')], ended))
    await conflict(
      appendAlone(ground.db, lease, 3, [said('b'), said('c')]).then(() =>
        appendAlone(ground.db, lease, 4, [said('d')]),
      ),
    )
    expect(await seqs()).toEqual([1, 2, 3, 4, 5])
    expect(await ground.row(lease.missionId)).toMatchObject({ status: 'running', owner: lease.instance })
  })

  it('refuses a number below one, and what is no status', async () => {
    await expect(appendAlone(ground.db, lease, -1, [said('a')])).rejects.toMatchObject({ code: '23514' })
    await expect(appendAlone(ground.db, lease, 2, [], { ...ended, status: 'odd' })).rejects.toMatchObject({
      code: '23514',
    })
    expect(await seqs()).toEqual([1, 2])
  })

  it('changes the row with it: what is given, and nothing else', async () => {
    await appendAlone(ground.db, lease, 2, [said('a')], { status: 'running', wakeInSeconds: 1.5, release: false })
    expect(await ground.row(lease.missionId)).toMatchObject({
      status: 'running',
      owner: lease.instance,
      wakeAt: START + 2500,
      endedAt: null,
      summary: {},
    })
    await appendAlone(ground.db, lease, 3, [said('b')], { ...ended, summary: { lastSeq: 4 } })
    expect(await ground.row(lease.missionId)).toMatchObject({
      status: 'completed',
      owner: null,
      wakeAt: null,
      endedAt: START + 1000,
      epoch: 1,
      inbox: 0,
      summary: { lastSeq: 4 },
    })
  })

  it('leaves the summary as it was where none is given', async () => {
    const change = { status: 'running', wakeInSeconds: 0, release: false }
    await appendAlone(ground.db, lease, 2, [said('a')], { ...change, summary: { lastSeq: 3 } })
    await appendAlone(ground.db, lease, 3, [said('b')], change)
    expect(await ground.row(lease.missionId)).toMatchObject({ summary: { lastSeq: 3 } })
  })

  it('is refused with its change where the inbox is another one, with or without events', async () => {
    await inTenant(ground.missions.databases.api, CALLER.tenantId, (tx) => wakeMission(tx, lease.missionId))
    expect(await appendAlone(ground.db, lease, 2, [], { ...waiting, inbox: 0 })).toBeUndefined()
    expect(await appendAlone(ground.db, lease, 2, [said('a')], { ...waiting, inbox: 0 })).toBeUndefined()
    expect(await seqs()).toEqual([1, 2])
    expect(await appendAlone(ground.db, lease, 2, [said('a')], { ...waiting, inbox: 1 })).toHaveLength(1)
    expect(await ground.row(lease.missionId)).toMatchObject({ status: 'waiting', owner: null, inbox: 1 })
  })

  it('without an inbox overrules what came in', async () => {
    await inTenant(ground.missions.databases.api, CALLER.tenantId, (tx) => wakeMission(tx, lease.missionId))
    expect(await appendAlone(ground.db, lease, 2, [said('a')], ended)).toHaveLength(1)
  })

  it('of several missions tells them apart', async () => {
    const { instance } = lease
    for (let n = 0; n < 3; n++) await ground.create()
    const [b, c, d] = [await ground.claim(instance), await ground.claim(instance), await ground.claim(instance)]
    const one = [storable(said('x'))]
    const times = await appendUnderLeases(ground.db, [
      { lease, afterSeq: 2, events: [...one, ...one] },
      { lease: b.lease, afterSeq: 2, events: one, change: { ...ended, inbox: 99 } },
      { lease: { ...c.lease, epoch: 99 }, afterSeq: 2, events: one },
      { lease: d.lease, afterSeq: 2, events: [], change: { ...waiting, inbox: 0 } },
    ])
    const at = START + 1000
    expect(times).toEqual([[at, at], undefined, undefined, []])
    expect(
      (await ground.store.events()).map(({ missionId, seq }) => [missionId, seq]).filter(([, seq]) => seq === 3),
    ).toEqual([[lease.missionId, 3]])
    expect(await ground.row(b.missionId)).toMatchObject({ status: 'running' })
    expect(await ground.row(d.missionId)).toMatchObject({ status: 'waiting', wakeAt: at + 60_000 })
  })

  it('waits for a number that somebody is just taking: taken, it is a conflict, and not taken, it goes in', async () => {
    const { api } = ground.missions.databases
    for (const end of ['commit', 'rollback'] as const) {
      const before = (await seqs()).length
      let late: Promise<unknown> | undefined
      const outside = inTenant(api, CALLER.tenantId, async (tx) => {
        await appendInTransaction(tx, lease.missionId, before, [said('outside')])
        late = appendAlone(ground.db, lease, before, [said('inside')]).catch((error: unknown) => error)
        await ground.store.untilBlocked()
        if (end === 'rollback') throw new Error('undone')
      })
      await outside.catch(() => undefined)
      if (end === 'commit') expect(await late).toSatisfy(isUniqueViolation)
      else expect(await late).toHaveLength(1)
      expect(await seqs()).toHaveLength(before + 1)
    }
  })

  it('stands in its place also where the number before it was committed later', async () => {
    await inTenant(ground.missions.databases.api, CALLER.tenantId, async (tx) => {
      await appendInTransaction(tx, lease.missionId, 2, [said('outside')])
      await appendAlone(ground.db, lease, 3, [said('inside')])
      expect((await readEvents(ground.db, lease.missionId, 0)).map(({ seq }) => seq)).toEqual([1, 2, 4])
    })
    expect((await readEvents(ground.db, lease.missionId, 0)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  })

  it('with a change waits for the row that somebody has locked, and without one does not', async () => {
    const late = await inTenant(ground.missions.databases.api, CALLER.tenantId, async (tx) => {
      await lockMission(tx, lease.missionId)
      expect(await appendAlone(ground.db, lease, 2, [said('a')])).toHaveLength(1)
      const change = appendAlone(ground.db, lease, 3, [said('b')], { ...waiting, inbox: 0 })
      await ground.store.untilBlocked()
      await wakeMission(tx, lease.missionId)
      return { change }
    })
    expect(await late.change).toBeUndefined()
    expect(await ground.row(lease.missionId)).toMatchObject({ inbox: 1, status: 'running' })
  })

  it('keeps data as jsonb does: keys in its order, the last of two, no text that it refuses', async () => {
    const answer = { zz: 1, b: { d: [2, 1], cc: 'é' }, a: '\u0000\ud800', é: 1e3, aé: -0 }
    await appendAlone(ground.db, lease, 2, [event('question.answered', { questionId: 'q', answer, by: 'x' })])
    const [row] = await readEvents(ground.db, lease.missionId, 2)
    expect(JSON.stringify(row?.data)).toBe(
      '{"by":"x","answer":{"a":"\ufffd\ufffd","b":{"d":[2,1],"cc":"é"},"zz":1,"é":1000,"aé":0},"questionId":"q"}',
    )
    const refused = (json: string) =>
      appendUnderLeases(ground.db, [{ lease, afterSeq: 3, events: [{ event: said(''), json }] }])
    await expect(refused('{"a":"\\u0000"}')).rejects.toMatchObject({ code: '22P05' })
    await expect(refused('{"a":"\\ud800"}')).rejects.toMatchObject({ code: '22P02' })
    await expect(refused('{"a":"\\\\u0000"}')).resolves.toHaveLength(1)
  })

  it('is read back by who wrote it, and a release by its epoch', async () => {
    await appendAlone(ground.db, lease, 2, [said('a'), said('b'), said('c')])
    expect(await readBack(ground.db, lease.missionId, 2, 2)).toEqual([
      { seq: 3, epoch: 1, type: 'mission.message', at: START + 1000 },
      { seq: 4, epoch: 1, type: 'mission.message', at: START + 1000 },
    ])
    expect(await readBack(ground.db, NOBODY, 0, 2)).toEqual([])
    expect(await wasReleased(ground.db, lease)).toBe(false)
    await appendAlone(ground.db, lease, 5, [], { ...waiting, inbox: 0 })
    expect(await wasReleased(ground.db, lease)).toBe(true)
    expect(await wasReleased(ground.db, { ...lease, epoch: 2 })).toBe(false)
    expect(await wasReleased(ground.db, { ...lease, missionId: NOBODY })).toBe(false)
  })

  it('is not a release where the mission was given up', async () => {
    await abandonMission(ground.db, lease)
    expect(await wasReleased(ground.db, lease)).toBe(false)
  })

  it('is read in pages, in order', async () => {
    await appendAlone(ground.db, lease, 2, [said('a'), said('b'), said('c')])
    const read = async (...page: [number, number?]) =>
      (await readEvents(ground.db, lease.missionId, ...page)).map(({ seq }) => seq)
    expect([await read(0), await read(3), await read(1, 2), await read(5)]).toEqual([
      [1, 2, 3, 4, 5],
      [4, 5],
      [2, 3],
      [],
    ])
    expect((await readEvents(ground.db, lease.missionId, 4))[0]).toEqual({
      seq: 5,
      v: 1,
      type: 'mission.message',
      data: { role: 'user', content: 'c', by: 'x' },
      at: START + 1000,
    })
  })
})
