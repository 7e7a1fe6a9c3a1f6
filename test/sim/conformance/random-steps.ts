import fc from 'fast-check'
import { appendUnderLeases, type Lease, type Transition } from '../../../src/db/queries/append-events.ts'
import { claimMissions, isAnyFree } from '../../../src/db/queries/claim-mission.ts'
import { forgetOldDeltas, storeDeltas } from '../../../src/db/queries/deltas.ts'
import { beat, forgetDead, leave, pollControl } from '../../../src/db/queries/instances.ts'
import { readStanding } from '../../../src/db/queries/mission-standing.ts'
import { readBack, wasReleased } from '../../../src/db/queries/read-back.ts'
import { abandonMission, excuseMission, readInbox } from '../../../src/db/queries/release-mission.ts'
import { storable } from '../../../src/db/queries/storable.ts'
import { beginSweep, findDue } from '../../../src/db/queries/sweep.ts'
import { forgetUnwatched, markWatched, pollWatched } from '../../../src/db/queries/watched.ts'
import { cancelMission } from '../../../src/missions/cancel-mission.ts'
import { CALLER, idOf, OTHER, said, type Ground } from './ground.ts'
import { pauseMission, resumeMission } from '../../../src/missions/pause-mission.ts'
import { sendMessage } from '../../../src/missions/send-message.ts'
import type { Holder } from './holder.ts'

/** What a run has seen so far, by its own results: the same on both stores as long as these are the same. */
export interface Run {
  ground: Ground
  holder: Holder
  created: { id: string; limited: boolean }[]
  held: { lease: Lease; seq: number; inbox: number }[]
}

/** One call of the real code. Numbers choose among what there is. */
export type Step = { does: (run: Run) => Promise<unknown>; text: string }

const WAITING: Transition = { status: 'waiting', wakeInSeconds: 4, release: true }
const CHANGES: (Transition | undefined)[] = [
  undefined,
  undefined,
  WAITING,
  { ...WAITING, wakeInSeconds: null },
  { status: 'running', wakeInSeconds: 0, release: true, summary: { b: 1, a: 2 } },
  { status: 'running', wakeInSeconds: 7, release: false },
  { status: 'completed', wakeInSeconds: null, release: true, ended: true },
]

const instance = fc.integer({ min: 1, max: 2 })
const pick = fc.nat(5)
const callerOf = (limited: boolean) => (limited ? OTHER : CALLER)

function step<T>(name: string, given: fc.Arbitrary<T>, does: (run: Run, given: T) => Promise<unknown>) {
  return given.map((value): Step => ({ text: `${name}(${JSON.stringify(value)})`, does: (run) => does(run, value) }))
}

/** Of the mission that was created as this one; nothing where there is none. */
function onMission(name: string, does: (run: Run, mission: Run['created'][number]) => Promise<unknown>) {
  return step(name, pick, async (run, n) => {
    const mission = run.created[n % Math.max(1, run.created.length)]
    return mission === undefined ? 'none' : does(run, mission)
  })
}

/** With a lease that somebody has or had, mostly one of the latest, and now and then a wrong one. */
function onLease(name: string, does: (run: Run, held: Run['held'][number]) => Promise<unknown>) {
  const stale = fc.constantFrom(0, 0, 0, 0, 0, 0, -1, 1)
  return step(name, fc.tuple(pick, stale), async (run, [n, off]) => {
    const held = run.held.at(-1 - (n % Math.max(1, run.held.length)))
    return held === undefined ? 'none' : does(run, off === 0 ? held : stalely(held, off))
  })
}

function stalely(held: Run['held'][number], off: number): Run['held'][number] {
  const lease = { ...held.lease, epoch: held.lease.epoch + off }
  return { ...held, lease: off === 1 ? { ...lease, instance: idOf('instance', 3) } : lease }
}

const wanted = fc.tuple(instance, fc.integer({ min: 1, max: 3 }), fc.boolean())

const claim = step('claim', wanted, async ({ ground, held }, [n, most, suspect]) => {
  const id = idOf('instance', n)
  const claims = await claimMissions(ground.db, id, most, undefined, suspect)
  claims.sort((a, b) => (a.missionId < b.missionId ? -1 : 1))
  for (const { missionId, epoch, events = [], inbox } of claims) {
    held.push({ lease: { missionId, epoch, instance: id }, seq: events.at(-1)?.seq ?? 0, inbox })
  }
  return claims
})

const append = fc
  .tuple(fc.nat(2), fc.constantFrom(0, 0, 0, 0, 1, -1), fc.constantFrom(...CHANGES), fc.boolean())
  .chain(([count, off, change, checked]) =>
    onLease(`append ${count} ${off} ${JSON.stringify(change)} ${checked}`, async ({ ground, held }, one) => {
      const events = Array.from({ length: count }, () => storable(said('x')))
      if (events.length === 0 && change === undefined) return 'nothing'
      const whole = change && { ...change, ...(checked ? { inbox: one.inbox } : {}) }
      const other = held.find(({ lease }) => isBeside(lease, one.lease))
      const appends = [{ lease: one.lease, afterSeq: one.seq + off, events, change: whole }]
      if (other !== undefined && count === 2) {
        const released = { ...WAITING, wakeInSeconds: 9, inbox: other.inbox }
        appends.push({ lease: other.lease, afterSeq: other.seq, events, change: checked ? released : undefined })
      }
      const times = await appendUnderLeases(ground.db, appends)
      for (const [index, to] of [one, other].entries()) if (to !== undefined) to.seq += times[index]?.length ?? 0
      return times
    }),
  )

function isBeside(a: Lease, b: Lease): boolean {
  return a.instance === b.instance && a.missionId !== b.missionId
}

const page = { rows: 3, bytes: 1_000_000 }

const watch = onMission('watch', async ({ ground }, { id }) => {
  const { rows, deltas } = await pollWatched(ground.db, {
    positions: [{ missionId: id, afterSeq: 1 }],
    drafts: [{ missionId: id }],
    page,
  })
  // What it was written at is only for comparing.
  return { rows, deltas: deltas.map(({ writtenAt, ...delta }) => ({ ...delta, isTold: writtenAt !== '' })) }
})

export const steps: fc.Arbitrary<Step>[] = [
  claim,
  claim,
  claim,
  append,
  append,
  append,
  step('create', fc.tuple(fc.boolean(), fc.nat(2), fc.option(instance)), async (run, [limited, priority, owner]) => {
    if (run.created.length === 5) return 'enough'
    const by = owner === null ? undefined : idOf('instance', owner)
    const id = await run.ground.create({ caller: callerOf(limited), priority, instance: by })
    run.created.push({ id, limited })
    if (!limited && by !== undefined)
      run.held.push({ lease: { missionId: id, epoch: 1, instance: by }, seq: 2, inbox: 0 })
    return id
  }),
  step('beat', fc.tuple(instance, fc.constantFrom(1, 10, 60)), ({ ground }, [n, seconds]) =>
    beat(ground.db, { id: idOf('instance', n), version: '0', host: 'x' }, seconds),
  ),
  step('leave', instance, ({ ground }, n) => leave(ground.db, idOf('instance', n))),
  step('poll', instance, async ({ ground }, n) => {
    const { owned, orphans } = await pollControl(ground.db, idOf('instance', n))
    return { orphans, owned: owned.sort((a, b) => (a.missionId < b.missionId ? -1 : 1)) }
  }),
  step('anyFree', fc.constant(0), ({ ground }) => isAnyFree(ground.db)),
  step('due', fc.constantFrom(0, 5, 65), ({ ground }, seconds) => findDue(ground.db, seconds, 3)),
  step('sweep', fc.constantFrom(1, 10), ({ ground }, seconds) => beginSweep(ground.db, seconds)),
  step('forget', fc.constant(0), async ({ ground }) => {
    for (const forget of [forgetDead, forgetOldDeltas, forgetUnwatched]) await forget(ground.db)
  }),
  onMission('message', ({ ground }, { id, limited }) => sendMessage(ground.missions, callerOf(limited), id, 'Hi')),
  onMission('pause', ({ ground }, { id, limited }) => pauseMission(ground.missions, callerOf(limited), id, undefined)),
  onMission('resume', ({ ground }, { id, limited }) =>
    resumeMission(ground.missions, callerOf(limited), id, undefined),
  ),
  onMission('cancel', ({ ground }, { id, limited }) =>
    cancelMission(ground.missions, callerOf(limited), id, undefined),
  ),
  onMission('foreign', ({ ground }, { id, limited }) => sendMessage(ground.missions, callerOf(!limited), id, 'Hi')),
  onMission('standing', ({ ground }, { id }) => readStanding(ground.db, id)),
  onMission('mark', ({ ground }, { id, limited }) =>
    markWatched(ground.db, [{ missionId: id, tenantId: callerOf(limited).tenantId }], 15),
  ),
  watch,
  onMission('hold', ({ holder }, { id, limited }) => holder.lock(callerOf(limited).tenantId, id)),
  onMission('hold a number', ({ holder }, { id, limited }) => holder.append(callerOf(limited).tenantId, id)),
  step('let go', fc.boolean(), ({ holder }, commit) => holder.letGo(commit)),
  onLease('abandon', ({ ground }, { lease }) => abandonMission(ground.db, lease)),
  onLease('excuse', ({ ground }, { lease }) => excuseMission(ground.db, lease, 3)),
  onLease('inbox', async ({ ground }, held) => {
    held.inbox = (await readInbox(ground.db, held.lease)) ?? held.inbox
    return held.inbox
  }),
  onLease('released', ({ ground }, { lease }) => wasReleased(ground.db, lease)),
  onLease('read back', ({ ground }, { lease, seq }) => readBack(ground.db, lease.missionId, seq - 2, 3)),
  onLease('write', ({ ground }, { lease, seq }) =>
    storeDeltas(ground.db, [{ missionId: lease.missionId, epoch: lease.epoch, afterSeq: seq, text: 't' }], []),
  ),
  onLease('remove', ({ ground }, { lease }) =>
    storeDeltas(ground.db, [], [{ missionId: lease.missionId, epoch: lease.epoch }]),
  ),
  step('pass', fc.constantFrom(1, 4, 12, 61, 700), ({ ground }, seconds) => ground.store.pass(seconds * 1000)),
]
