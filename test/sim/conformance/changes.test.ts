import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { appendInTransaction } from '../../../src/db/queries/append-events.ts'
import {
  endMission,
  lockMission,
  pauseMission as pauseRow,
  resumeMission as resumeRow,
  wakeMission,
} from '../../../src/db/queries/missions.ts'
import { answerQuestion } from '../../../src/missions/answer-question.ts'
import { cancelMission } from '../../../src/missions/cancel-mission.ts'
import { pauseMission, resumeMission } from '../../../src/missions/pause-mission.ts'
import { readMission } from '../../../src/missions/read-mission.ts'
import { sendMessage } from '../../../src/missions/send-message.ts'
import { answered, asked } from '../../support/journal.ts'
import { appendAlone } from '../../support/engine.ts'
import { CALLER, groundOn, NOBODY, said, type Ground } from './ground.ts'
import { START, stores, type Store } from './stores.ts'

const waiting = { status: 'waiting', wakeInSeconds: 60, release: true, inbox: 0 }

describe.each(stores)('%s', (_, open) => {
  let store: Store
  let ground: Ground
  beforeAll(async () => (store = await open()))
  afterAll(() => store.stop())
  beforeEach(async () => (ground = await groundOn(store)))

  const pass = (ms: number) => ground.store.pass(ms)

  async function owned() {
    await ground.create()
    return (await ground.claim(await ground.alive())).lease
  }

  describe('a change from outside', () => {
    it('wakes a waiting mission, lets a paused one lie, and leaves a place in the queue as it is', async () => {
      const id = await ground.create()
      await pass(5)
      await ground.within((tx) => wakeMission(tx, id))
      expect(await ground.row(id)).toMatchObject({ status: 'queued', wakeAt: START, inbox: 1 })
      const { lease } = await ground.claim(await ground.alive())
      await ground.within((tx) => wakeMission(tx, id))
      expect(await ground.row(id)).toMatchObject({ status: 'running', wakeAt: START, inbox: 2, owner: lease.instance })
      await appendAlone(ground.db, lease, 2, [], { ...waiting, inbox: 2 })
      await ground.within((tx) => wakeMission(tx, id))
      expect(await ground.row(id)).toMatchObject({ status: 'queued', wakeAt: START + 5, inbox: 3 })
      await ground.within((tx) => pauseRow(tx, id, { b: 1, a: 1 }))
      await ground.within((tx) => wakeMission(tx, id))
      expect(await ground.row(id)).toMatchObject({ status: 'paused', wakeAt: null, inbox: 5, summary: { a: 1, b: 1 } })
      await ground.within((tx) => resumeRow(tx, id))
      expect(await ground.row(id)).toMatchObject({ status: 'queued', wakeAt: START + 5, inbox: 6 })
    })

    it('wakes a mission that waits for somebody alone', async () => {
      const lease = await owned()
      await appendAlone(ground.db, lease, 2, [], { ...waiting, wakeInSeconds: null })
      await pass(5)
      await ground.within((tx) => wakeMission(tx, lease.missionId))
      expect(await ground.row(lease.missionId)).toMatchObject({ status: 'queued', wakeAt: START + 5 })
    })

    it('lets the owner of a mission lay it down, and take it up', async () => {
      const { missionId, instance } = await owned()
      await pass(5)
      await ground.within((tx) => pauseRow(tx, missionId, { no: 1 }))
      expect(await ground.row(missionId)).toMatchObject({ status: 'running', wakeAt: START, inbox: 1, summary: {} })
      await ground.within((tx) => resumeRow(tx, missionId))
      expect(await ground.row(missionId)).toMatchObject({ status: 'running', wakeAt: START + 5, owner: instance })
    })

    it('ends a mission, and fences its owner off', async () => {
      const lease = await owned()
      await pass(5)
      await ground.within((tx) => endMission(tx, lease.missionId, 'cancelled', { lastSeq: 9 }))
      const row = { status: 'cancelled', endedAt: START + 5, wakeAt: null, owner: null, epoch: 2, inbox: 1 }
      expect(await ground.row(lease.missionId)).toMatchObject({ ...row, summary: { lastSeq: 9 } })
      expect(await appendAlone(ground.db, lease, 2, [said('x')])).toBeUndefined()
      await expect(ground.within((tx) => endMission(tx, lease.missionId, 'odd', {}))).rejects.toMatchObject({
        code: '23514',
      })
    })

    it('changes nothing of a mission that is not there', async () => {
      await ground.within(async (tx) => {
        await wakeMission(tx, NOBODY)
        expect(await lockMission(tx, NOBODY)).toBeUndefined()
        expect(await appendInTransaction(tx, NOBODY, 0, [said('x')])).toMatchObject([{ at: 0 }])
      })
      expect(await ground.store.events()).toEqual([])
    })

    it('goes through the use cases: message, pause, resume, cancel', async () => {
      const id = await ground.create()
      await sendMessage(ground.missions, CALLER, id, 'Hi')
      await pauseMission(ground.missions, CALLER, id, 'later')
      expect(await ground.row(id)).toMatchObject({ status: 'paused', wakeAt: null, inbox: 2 })
      await resumeMission(ground.missions, CALLER, id, undefined)
      expect(await cancelMission(ground.missions, CALLER, id, 'enough')).toMatchObject({ changed: true })
      expect(await cancelMission(ground.missions, CALLER, id, 'enough')).toMatchObject({ changed: false })
      await expect(pauseMission(ground.missions, CALLER, id, '')).rejects.toMatchObject({ code: 'illegal_state' })
      expect(await ground.types(id)).toEqual([
        'mission.created',
        'mission.message',
        'mission.paused',
        'mission.resumed',
        'mission.cancelled',
      ])
      expect(await readMission(ground.missions, CALLER, id)).toMatchObject({ status: 'cancelled', lastSeq: 5 })
      expect(await ground.row(id)).toMatchObject({ summary: { lastSeq: 5 }, inbox: 4, epoch: 1 })
    })

    it('answers a question once', async () => {
      const lease = await owned()
      const answer = answered('', ['ask_user', { question: '?' }])
      const question = asked({ questionId: 'q1', schema: { type: 'string' } })
      await appendAlone(ground.db, lease, 2, [answer, question], { ...waiting, wakeInSeconds: null })
      const given = { questionId: 'q1', answer: 'green' }
      await answerQuestion(ground.missions, CALLER, lease.missionId, given)
      expect(await ground.row(lease.missionId)).toMatchObject({ status: 'queued', inbox: 1, wakeAt: START })
      const again = answerQuestion(ground.missions, CALLER, lease.missionId, given)
      await expect(again).rejects.toMatchObject({ code: 'already_answered' })
    })

    it('that finds its number taken is decided anew', async () => {
      const lease = await owned()
      const late = await ground.within(async (tx) => {
        await lockMission(tx, lease.missionId)
        const message = sendMessage(ground.missions, CALLER, lease.missionId, 'Hi')
        await ground.store.untilBlocked()
        await appendAlone(ground.db, lease, 2, [said('first')])
        return { message }
      })
      await late.message
      expect(await ground.types(lease.missionId)).toHaveLength(4)
      expect((await ground.store.events()).at(-1)).toMatchObject({ seq: 4, data: { content: 'Hi' } })
    })
  })
})
