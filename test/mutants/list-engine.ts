import type { Mutant } from './list.ts'
import { simulation } from './proofs.ts'

const SLICE = 'src/engine/run-slice.ts'
const INSTANCE = 'src/engine/instance.ts'
const DECIDE = 'src/domain/decide.ts'

/** Of what moves missions. A proof begins shortly before the first seed that finds the mutant where that is a rare one. */
export const engineMutants: readonly Mutant[] = [
  {
    name: 'sweep-sends-nothing',
    breaks: 'A mission whose wake was lost lies still for ever.',
    file: 'src/engine/sweep.ts',
    find: 'for (const { missionId, inSeconds } of due) await wakes.send(missionId, inSeconds)',
    replace: 'void wakes',
    proof: simulation(),
    rule: 'I8',
  },
  {
    name: 'time-by-the-local-clock',
    breaks: 'Timers and deadlines come hours too early or too late on a machine whose clock is wrong.',
    file: SLICE,
    find: 'return this.#claim.now + (this.#context.clock.monotonic() - this.#begun)',
    replace: 'return Date.now()',
    proof: simulation(),
    rule: 'I11',
  },
  {
    name: 'once-call-unclaimed',
    breaks: 'After a restore of the database, calls that act once are made a second time.',
    file: 'src/engine/run-tool.ts',
    find: 'const claim = await claimCall(context, run)',
    replace: "const claim = { kind: 'claimed' } as ClaimResult",
    proof: simulation(),
    rule: 'I4',
  },
  {
    name: 'interrupted-call-repeated',
    breaks: 'A call that acts once and was interrupted is begun again, in place of asking what became of it.',
    file: DECIDE,
    find: `  const pending = free.filter(({ status }) => status === 'pending')
  const taken = pending.slice(0, stepsLeft(state, open.length - pending.length))
  const events = [
    ...unknownOutcomes(state, free, policy),`,
    replace: `  const pending = free.filter(({ status }) => status === 'pending' || status === 'started')
  const taken = pending.slice(0, stepsLeft(state, open.length - pending.length))
  const events = [`,
    proof: simulation(),
    rule: 'I3',
  },
  {
    name: 'heartbeat-never-stops',
    breaks: 'An instance with nothing to do keeps the database awake, and the bill running.',
    file: INSTANCE,
    find: 'return clock.monotonic() - this.#busyAt > settings.leaseMs + LAST_POLLS * POLL_MS',
    replace: 'return false',
    proof: simulation(),
    rule: 'rest',
  },
  {
    name: 'hold-never-dropped',
    breaks: 'An instance takes missions that are long over for its own, and never falls asleep.',
    file: INSTANCE,
    find: 'if (this.#held.get(hold.missionId) === hold) this.#held.delete(hold.missionId)',
    replace: '',
    proof: simulation(),
    rule: 'rest',
  },
  {
    name: 'strays-kept',
    breaks: 'A mission whose claim got no answer is held by an instance that does not know of it.',
    file: INSTANCE,
    find: 'for (const stray of strays.filter((one) => before.has(keyOf(one)))) await this.#giveUp(stray)',
    replace: 'void before',
    proof: simulation(),
    rule: 'I8',
  },
  {
    name: 'lease-shorter-than-believed',
    breaks: 'Two instances work on one mission at the same time.',
    file: 'src/engine/postgres-missions.ts',
    find: 'beat: () => beat(db, instance, leaseSeconds),',
    replace: 'beat: () => beat(db, instance, leaseSeconds / 10),',
    proof: simulation(),
    rule: 'I10',
  },
  {
    name: 'lease-without-an-end',
    breaks: 'An instance that can reach nobody goes on with its missions beside the one that has taken them over.',
    file: INSTANCE,
    find: 'this.#expiry = setTimeout(() => this.#loseAll(), left).unref()',
    replace: 'void left',
    proof: simulation(1_000),
    rule: 'I10',
  },
  {
    name: 'drain-does-not-wait',
    breaks: 'A deployment cuts calls off in the middle.',
    file: 'src/engine/engine.ts',
    find: '    await Promise.allSettled(this.#running)\n',
    replace: '',
    proof: simulation(150),
    rule: 'I10',
  },
  {
    name: 'crash-limit-off',
    breaks: 'A mission that its instances die of is taken up for ever, and takes others down with it.',
    file: SLICE,
    find: 'const CRASH_LIMIT = 5',
    replace: 'const CRASH_LIMIT = Infinity',
    proof: simulation(),
    rule: 'I8',
  },
  {
    name: 'crash-limit-of-one',
    breaks: 'A mission is given up because its instance died once.',
    file: SLICE,
    find: 'const CRASH_LIMIT = 5',
    replace: 'const CRASH_LIMIT = 1',
    proof: simulation(),
    rule: 'ending',
  },
  {
    name: 'pause-ignored',
    breaks: 'A mission that was paused goes on, and spends money.',
    file: DECIDE,
    find: "if (state.paused) return abilities.inFlight.size > 0 ? [] : [{ do: 'pause' }]",
    replace: '',
    proof: simulation(),
    rule: 'I7',
  },
  {
    name: 'unread-message-dropped',
    breaks: 'A mission ends although somebody has just written to it.',
    file: DECIDE,
    find: 'if (finalAnswerIsThere(state)) {',
    replace: 'if (state.final) {',
    proof: simulation(),
    rule: 'I7',
  },
  {
    name: 'timer-fired-early',
    breaks: 'Timers and deadlines come two seconds too early.',
    file: DECIDE,
    find: 'const timers = state.timers.filter(',
    replace: 'now += 2_000\n  const timers = state.timers.filter(',
    proof: simulation(),
    rule: 'I11',
  },
  {
    name: 'wake-in-vain-fails',
    breaks: 'Wakes that come twice end in the poison queue, and the alarms ring.',
    file: 'src/engine/engine.ts',
    find: 'if (ran === undefined) this.#draining.signal.throwIfAborted()',
    replace: "if (ran === undefined) throw new Error('There is nothing to do')",
    proof: simulation(),
    rule: 'I16',
  },
]
