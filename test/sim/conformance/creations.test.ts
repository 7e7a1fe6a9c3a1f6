import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { TenantTx } from '../../../src/db/connection.ts'
import { inTenantAtOnce } from '../../../src/db/in-tenant.ts'
import { insertMission, recordCreation } from '../../../src/db/queries/create-mission.ts'
import { claimKey } from '../../../src/db/queries/idempotency-keys.ts'
import { findMission } from '../../../src/db/queries/missions.ts'
import { branchMission } from '../../../src/missions/branch-mission.ts'
import { cancelMission } from '../../../src/missions/cancel-mission.ts'
import { sendMessage } from '../../../src/missions/send-message.ts'
import { created } from '../../support/journal.ts'
import { CALLER, groundOn, idOf, OTHER, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

describe.each(stores)('%s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const { tenantId } = CALLER
  const pass = (ms: number) => ground.store.pass(ms)

  describe('a creation', () => {
    it('makes the row as it is told, under its profile, with its first event', async () => {
      const id = await ground.create({ labels: { b: '2', a: '1' }, priority: 3 })
      const row = await ground.within((tx) => findMission(tx, id))
      expect(row).toEqual({
        id,
        tenantId,
        status: 'queued',
        goal: 'Do it',
        profile: 'dev',
        labels: { a: '1', b: '2' },
        summary: {},
        createdAt: new Date(START),
        startedAt: null,
        endedAt: null,
        forkedFrom: null,
        forkedSeq: null,
      })
      expect(await ground.row(id)).toMatchObject({ epoch: 0, owner: null, wakeAt: START, inbox: 0, crashes: 0 })
      expect(await ground.store.events()).toMatchObject([{ seq: 1, epoch: 0, v: 1, at: START, tenantId }])
    })

    it('for an instance begins at once, and counts no crash when that dies with an event of its own', async () => {
      const instance = await ground.alive(1)
      const id = await ground.create({ instance })
      expect(await ground.row(id)).toMatchObject({ status: 'running', epoch: 1, owner: instance, startedAt: START })
      expect(await ground.types(id)).toEqual(['mission.created', 'mission.started'])
      await pass(1000)
      expect(await ground.claim(await ground.alive())).toMatchObject({ crashes: 1, epoch: 2, began: false })
    })

    it('for an instance waits for its turn where the tenant has a limit', async () => {
      await ground.store.addTenant({ id: OTHER.tenantId, maxRunning: 1 })
      const id = await ground.create({ caller: OTHER, instance: await ground.alive() })
      expect(await ground.row(id)).toMatchObject({ status: 'queued', epoch: 0, owner: null, startedAt: null })
      expect(await ground.types(id)).toEqual(['mission.created'])
    })

    const insert = (over: Partial<Parameters<typeof insertMission>[0]> = {}) =>
      insertMission({
        id: idOf('mission', 50),
        tenantId,
        goal: 'x',
        profile: { name: 'dev', hash: 'h', body: { b: 1, a: 2 } },
        labels: {},
        priority: 0,
        ...over,
      })
    const api = () => ground.missions.databases.api

    it('is refused under an id that is there, also of another tenant, and for a profile that nobody stored', async () => {
      await ground.store.addTenant({ id: OTHER.tenantId })
      const id = await ground.create({ caller: OTHER })
      const bare = { name: 'dev', hash: 'other' }
      const refused: [object, string][] = [
        [{ id }, '23505'],
        [{ profile: bare }, '23503'],
        [{ forkedFrom: { id, seq: 0 } }, '23514'],
        [{ tenantId: OTHER.tenantId }, '42501'],
        [{ tenantId: OTHER.tenantId, profile: bare }, '42501'],
        [{ id, profile: bare }, '23505'],
        [{ labels: { a: '\u0000' } }, '22P05'],
      ]
      for (const [over, code] of refused) {
        const made = inTenantAtOnce(api(), tenantId, [insert(over), recordCreation(idOf('mission', 50), created())])
        await expect(made).rejects.toMatchObject({ code })
      }
      expect(await ground.store.missions()).toHaveLength(1)
      await inTenantAtOnce(api(), tenantId, [insert()])
      await inTenantAtOnce(api(), tenantId, [insert({ id: idOf('mission', 51), profile: { name: 'dev', hash: 'h' } })])
      expect(await ground.store.missions()).toHaveLength(3)
    })

    it('and another one with the same profile, or id, wait for each other', async () => {
      for (const id of [idOf('mission', 60), idOf('mission', 50)]) {
        let late: Promise<unknown> | undefined
        await ground
          .within(async (tx) => {
            const first = insert({ profile: { name: 'dev', hash: id, body: {} } })
            await tx.query(first.query)
            const second = insert({
              id,
              profile: { name: 'dev', hash: id === idOf('mission', 50) ? 'h2' : id, body: {} },
            })
            late = inTenantAtOnce(api(), tenantId, [second]).catch((error: { code: string }) => error.code)
            await ground.store.untilBlocked()
            if (id === idOf('mission', 60)) throw new Error('undone')
          })
          .catch(() => undefined)
        if (id === idOf('mission', 60)) expect(await late).toMatchObject([{ id }])
        else expect(await late).toBe('23505')
      }
    })

    it('of a branch knows where it comes from', async () => {
      const parent = await ground.create()
      await cancelMission(ground.missions, CALLER, parent, undefined)
      const { mission } = await branchMission(ground.missions, CALLER, parent, { how: 'retry' })
      expect(await ground.row(mission.id)).toMatchObject({ forkedFrom: parent, forkedSeq: 1, status: 'queued' })
      await expect(branchMission(ground.missions, OTHER, parent, { how: 'retry' })).rejects.toMatchObject({
        code: 'not_found',
      })
    })
  })

  describe('a client’s key', () => {
    const key = { key: 'k', fingerprint: 'f' }
    const claim = (tx: TenantTx, tenant: string, missionId: string) =>
      claimKey(tx, { tenantId: tenant, missionId, ...key })

    it('is the first request’s own: repeats find it, others are refused, and other tenants have their own', async () => {
      await ground.store.addTenant({ id: OTHER.tenantId })
      const id = await ground.create({ idempotency: key })
      expect(await ground.create({ idempotency: key })).toBe(id)
      const other = ground.create({ idempotency: { ...key, fingerprint: 'g' } })
      await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' })
      expect(await ground.create({ caller: OTHER, idempotency: key })).not.toBe(id)
      expect(await ground.store.missions()).toHaveLength(2)
      await expect(ground.within((tx) => claim(tx, OTHER.tenantId, id))).rejects.toMatchObject({ code: '42501' })
    })

    it('is waited for while its first request is under way: committed it counts, undone it is free', async () => {
      for (const end of ['rollback', 'commit']) {
        let late: Promise<unknown> | undefined
        await ground
          .within(async (tx) => {
            expect(await claim(tx, tenantId, idOf('mission', 70))).toBeUndefined()
            expect(await claim(tx, tenantId, idOf('mission', 71))).toMatchObject({ missionId: idOf('mission', 70) })
            late = ground
              .within(async (other) => {
                const owner = await claim(other, tenantId, idOf('mission', 72))
                // Not kept, so that the second round starts like the first.
                if (owner === undefined) throw new Error('free')
                return owner
              })
              .catch((error: Error) => error.message)
            await ground.store.untilBlocked()
            if (end === 'rollback') throw new Error('undone')
          })
          .catch(() => undefined)
        expect(await late).toEqual(end === 'rollback' ? 'free' : { missionId: idOf('mission', 70), fingerprint: 'f' })
      }
    })

    it('makes a message safe to repeat', async () => {
      const id = await ground.create()
      await sendMessage(ground.missions, CALLER, id, 'Hi', key)
      expect(await sendMessage(ground.missions, CALLER, id, 'Hi', key)).toMatchObject({ replayed: true })
      expect(await ground.types(id)).toHaveLength(2)
    })
  })
})
