import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inTenant } from '../../../src/db/in-tenant.ts'
import type { Lease } from '../../../src/db/queries/append-events.ts'
import { readContent, storeContent } from '../../../src/db/queries/contents.ts'
import { forgetOldDeltas, storeDeltas } from '../../../src/db/queries/deltas.ts'
import { pollControl } from '../../../src/db/queries/instances.ts'
import { endMission } from '../../../src/db/queries/missions.ts'
import { readProfile } from '../../../src/db/queries/profiles.ts'
import { forgetUnwatched, markWatched, pollWatched } from '../../../src/db/queries/watched.ts'
import { send } from '../../../src/db/statement.ts'
import { createContents } from '../../../src/engine/postgres-missions.ts'
import { systemClock } from '../../../src/engine/system-clock.ts'
import { answered } from '../../support/journal.ts'
import { appendAlone } from '../../support/engine.ts'
import { CALLER, groundOn, NOBODY, OTHER, said, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

describe.each(stores)('%s', (_, open) => {
  let store: Store
  let ground: Ground
  let lease: Lease
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => {
    ground = await groundOn(store)
    await ground.create()
    lease = (await ground.claim(await ground.alive(86_400))).lease
  })

  const pass = (ms: number) => ground.store.pass(ms)
  const { tenantId } = CALLER

  /** The previews of the mission as a reader sees them who knows none. */
  const texts = async () => {
    const drafts = [{ missionId: lease.missionId }]
    const { deltas } = await pollWatched(ground.db, { positions: [], drafts, page: { rows: 9, bytes: 9 } })
    return deltas.map(({ text, epoch, afterSeq }) => [text, epoch, afterSeq])
  }
  const write = (text: string, over: { epoch?: number; afterSeq?: number; missionId?: string } = {}) =>
    storeDeltas(ground.db, [{ missionId: lease.missionId, epoch: 1, afterSeq: 2, text, ...over }], [])

  describe('the text of an unfinished answer', () => {
    it('is stored by the present owner alone, and takes the place of the one before', async () => {
      await write('a')
      await write('ab\0', { afterSeq: 3 })
      expect(await texts()).toEqual([['ab\ufffd', 1, 3]])
      await write('old', { epoch: 0 })
      await write('new', { epoch: 2 })
      await write('nowhere', { missionId: NOBODY })
      expect(await texts()).toEqual([['ab\ufffd', 1, 3]])
    })

    it('is removed by its writer or a later one, and not by an earlier one', async () => {
      const remove = (epoch: number) => storeDeltas(ground.db, [], [{ missionId: lease.missionId, epoch }])
      await write('a')
      await remove(0)
      expect(await texts()).toHaveLength(1)
      await remove(1)
      expect(await texts()).toEqual([])
      await write('b')
      await remove(2)
      expect(await texts()).toEqual([])
    })

    it('is none any more when it was recorded, or its mission has another epoch', async () => {
      await write('a')
      await appendAlone(ground.db, lease, 2, [said('x')])
      expect(await texts()).toHaveLength(1)
      await appendAlone(ground.db, lease, 3, [answered('a')])
      expect(await texts()).toEqual([])
      await write('b', { afterSeq: 4 })
      expect(await texts()).toHaveLength(1)
      await inTenant(ground.missions.databases.api, tenantId, (tx) => endMission(tx, lease.missionId, 'cancelled', {}))
      expect(await texts()).toEqual([])
    })

    it('is told once, until it changes', async () => {
      const { missionId } = lease
      const page = { rows: 9, bytes: 9 }
      const poll = async (known: Parameters<typeof pollWatched>[1]['drafts'][number]['known']) =>
        (await pollWatched(ground.db, { positions: [], drafts: [{ missionId, known }], page })).deltas
      await write('a')
      const [first] = await poll(undefined)
      expect(first).toMatchObject({ missionId, epoch: 1, afterSeq: 2, text: 'a' })
      const known = { missionId, epoch: 1, afterSeq: 2, text: 'as it is known', writtenAt: first?.writtenAt ?? '' }
      expect(await poll(known)).toEqual([known])
      await pass(1)
      await write('ab')
      expect(await poll(known)).toMatchObject([{ text: 'ab' }])
    })

    it('is forgotten ten minutes after it was written', async () => {
      await write('a')
      await pass(600_000)
      await forgetOldDeltas(ground.db)
      expect(await texts()).toHaveLength(1)
      await pass(1)
      await forgetOldDeltas(ground.db)
      expect(await texts()).toEqual([])
    })
  })

  describe('what is new for readers', () => {
    const poll = async (positions: [afterSeq: number, missionId?: string][], page = { rows: 9, bytes: 1_000_000 }) => {
      const asked = positions.map(([afterSeq, missionId = lease.missionId]) => ({ missionId, afterSeq }))
      const { rows } = await pollWatched(ground.db, { positions: asked, drafts: [], page })
      return rows
    }

    it('comes for each position by itself, in order, as it is in the journal', async () => {
      await pass(7)
      await appendAlone(ground.db, lease, 2, [said('a'), said('b')])
      const rows = await poll([[2], [3], [4], [0, NOBODY]])
      expect(rows.map(({ seq, more }) => [seq, more])).toEqual([
        [3, true],
        [4, false],
        [4, false],
      ])
      expect(rows[0]).toEqual({
        missionId: lease.missionId,
        seq: 3,
        v: 1,
        type: 'mission.message',
        data: { role: 'user', content: 'a', by: 'x' },
        more: true,
        at: START + 7,
      })
    })

    it('comes in pages of so many events, or so many bytes, one at least, and tells that there is more', async () => {
      await appendAlone(ground.db, lease, 2, [said('a'), said('b')])
      const pages = async (page: { rows: number; bytes: number }) =>
        (await poll([[0]], page)).map(({ seq, more }) => [seq, more])
      expect(await pages({ rows: 2, bytes: 1_000_000 })).toEqual([
        [1, true],
        [2, true],
      ])
      expect(await pages({ rows: 9, bytes: 1 })).toEqual([[1, true]])
      expect(await pages({ rows: 4, bytes: 1_000_000 })).toEqual([
        [1, true],
        [2, true],
        [3, true],
        [4, false],
      ])
    })
  })

  describe('that somebody reads along', () => {
    const watched = async () => (await pollControl(ground.db, lease.instance)).owned[0]?.watched
    const mark = (seconds: number, ...tenants: string[]) => {
      const marks = (tenants.length === 0 ? [tenantId] : tenants).map((of) => ({ ...lease, tenantId: of }))
      return markWatched(ground.db, marks, seconds)
    }

    it('holds for some seconds from the last time that it was said', async () => {
      await mark(15)
      await pass(10_000)
      await mark(15)
      await pass(14_999)
      expect(await watched()).toBe(true)
      await pass(1)
      expect(await watched()).toBe(false)
    })

    it('is forgotten a minute after that, and may be said again', async () => {
      await mark(15)
      await pass(75_000)
      await forgetUnwatched(ground.db)
      // A row that is there keeps its tenant, so nobody looks for this one.
      await mark(0, NOBODY)
      await pass(60_001)
      await forgetUnwatched(ground.db)
      await expect(mark(0, NOBODY)).rejects.toMatchObject({ code: '23503' })
      await mark(1)
      expect(await watched()).toBe(true)
    })

    it('is refused for a tenant that is not there, and twice in one statement', async () => {
      await expect(mark(15, NOBODY)).rejects.toMatchObject({ code: '23503' })
      await expect(mark(15, tenantId, tenantId)).rejects.toMatchObject({ code: '21000' })
    })
  })

  describe('contents and profiles', () => {
    const bytes = Buffer.from([0, 255, 128, 10])
    const hash = createHash('sha256').update(bytes).digest('hex')

    it('are one tenant’s own, for the engine and for the API', async () => {
      await ground.store.addTenant({ id: OTHER.tenantId })
      const contents = createContents(ground.db, systemClock)
      await contents.store(tenantId, hash, bytes)
      await contents.store(tenantId, hash, Buffer.from('is there already'))
      expect(await contents.read(tenantId, hash)).toEqual(bytes)
      expect(await contents.read(OTHER.tenantId, hash)).toBeUndefined()
      const { profileHash } = (await ground.row(lease.missionId)) ?? { profileHash: '' }
      const mine = await readProfile(ground.db, tenantId, profileHash)
      expect(mine).toMatchObject({ name: 'dev', limits: { steps: 50 } })
      expect(await readProfile(ground.db, OTHER.tenantId, profileHash)).toBeUndefined()
      const { api } = ground.missions.databases
      for (const [tenant, found, profile] of [
        [tenantId, bytes, mine],
        [OTHER.tenantId, undefined, undefined],
      ] as const) {
        await inTenant(api, tenant, async (tx) => {
          expect(await readContent(tx, tenantId, hash)).toEqual(found)
          expect(await readProfile(tx, tenantId, profileHash)).toEqual(profile)
        })
      }
    })

    it('are refused without a hash, too large, for an unknown tenant, and for another one', async () => {
      const put = (...content: Parameters<typeof storeContent>) => send(ground.db, [storeContent(...content)])
      await expect(put(tenantId, 'x', bytes)).rejects.toMatchObject({ code: '23514' })
      await expect(put(NOBODY, hash, bytes)).rejects.toMatchObject({ code: '23503' })
      const large = Buffer.alloc(16 * 1024 * 1024 + 1)
      await expect(put(tenantId, hash, large)).rejects.toMatchObject({ code: '23514' })
      await ground.store.addTenant({ id: OTHER.tenantId })
      const foreign = inTenant(ground.missions.databases.api, tenantId, (tx) =>
        send(tx, [storeContent(OTHER.tenantId, hash, bytes)]),
      )
      await expect(foreign).rejects.toMatchObject({ code: '42501' })
    })

    it('that somebody is just storing are waited for', async () => {
      let late: Promise<unknown> | undefined
      await inTenant(ground.missions.databases.api, tenantId, async (tx) => {
        await send(tx, [storeContent(tenantId, hash, bytes)])
        late = send(ground.db, [storeContent(tenantId, hash, bytes)])
        await ground.store.untilBlocked()
        throw new Error('undone')
      }).catch(() => undefined)
      await late
      expect(await readContent(ground.db, tenantId, hash)).toEqual(bytes)
    })
  })
})
