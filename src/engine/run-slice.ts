import { decide, failure, MODEL_STEP, type Action } from '../domain/decide.ts'
import { endsJournal, type EventDraft, type Failure } from '../domain/event.ts'
import { evolve, fold } from '../domain/evolve.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import type { MissionState } from '../domain/state.ts'
import { callModel } from './call-model.ts'
import type { EngineContext } from './context.ts'
import type { Claim, Lease } from './ports.ts'
import { runTool } from './run-tool.ts'
import { isOpen, Steps, type DoneStep } from './steps.ts'
import { Stopped } from './stop-reason.ts'
import { endTransition, handOverTransition, waitTransition } from './transitions.ts'

/** `ended` and `waiting` need nothing more; `handed-over`: a wake was sent; `lost`: another instance goes on. */
export type SliceEnd = 'ended' | 'waiting' | 'handed-over' | 'lost'

/** Crashes in a row without an event in between after which a mission is given up. */
const CRASH_LIMIT = 5

const CRASH_LOOP: Failure = {
  code: 'crash_loop',
  message: `The instance died ${CRASH_LIMIT} times in a row while it worked on this mission, without a step in between.`,
  hint: 'Look for out-of-memory or start-up errors in the logs of that time, then start the mission again.',
}

/** Moves one claimed mission until it ends, waits, the slice's time is up, or the lease is gone. */
export async function runSlice(context: EngineContext, claim: Claim, stop: AbortSignal): Promise<SliceEnd> {
  const lease: Lease = { missionId: claim.missionId, epoch: claim.epoch, instance: context.instance }
  const begun = context.clock.monotonic()
  const [events, profile] = await Promise.all([
    context.journal.read(claim.missionId, 0),
    context.missions.profile(claim.tenantId, claim.profileHash),
  ])
  const slice = new Slice({ context, claim, lease, begun, profile, stop }, fold(events))
  try {
    return await slice.run()
  } catch (error) {
    if (error instanceof Stopped && error.why === 'lost') return 'lost'
    throw error
  } finally {
    slice.abandon()
  }
}

interface SliceParts {
  context: EngineContext
  claim: Claim
  lease: Lease
  profile: EffectiveProfile
  /** When the claim was answered, by the context's clock. */
  begun: number
  stop: AbortSignal
}

class Slice {
  readonly #context: EngineContext
  readonly #claim: Claim
  readonly #lease: Lease
  readonly #profile: EffectiveProfile
  readonly #stop: AbortSignal
  readonly #work = new AbortController()
  readonly #steps = new Steps()
  readonly #begun: number
  #state: MissionState
  #inbox: number

  constructor({ context, claim, lease, profile, begun, stop }: SliceParts, state: MissionState) {
    this.#context = context
    this.#claim = claim
    this.#lease = lease
    this.#profile = profile
    this.#begun = begun
    this.#stop = stop
    this.#state = state
    this.#inbox = claim.inbox
  }

  async run(): Promise<SliceEnd> {
    if (this.#claim.crashes >= CRASH_LIMIT && this.#state.outcome === undefined)
      await this.#append([failure(this.#state, CRASH_LOOP)])
    for (;;) {
      const actions = this.#decide()
      if (actions.some(({ do: what }) => what === 'stop')) return 'ended'
      const events = actions.flatMap((action) => (action.do === 'append' ? [action.event] : []))
      if (events.length > 0) {
        await this.#append(events)
        continue
      }
      const end = await this.#move(actions)
      if (end !== undefined) return end
    }
  }

  /** Stops what is still running; its results belong to nobody any more. */
  abandon(): void {
    this.#work.abort(new Stopped('lost'))
  }

  #decide(): Action[] {
    return decide(this.#state, this.#now(), {
      instance: this.#context.instance,
      tools: new Set(this.#profile.tools.map(({ name }) => name)),
      inFlight: this.#steps.keys(),
    })
  }

  /** The database's clock: its time at the claim, carried on by a clock that never jumps. */
  #now(): number {
    return this.#claim.now + (this.#context.clock.monotonic() - this.#begun)
  }

  async #move(actions: Action[]): Promise<SliceEnd | undefined> {
    const rest = actions.find((action) => action.do === 'wait' || action.do === 'pause')
    if (rest !== undefined) return (await this.#rest(rest)) ? 'waiting' : undefined
    if (this.#timeIsUp() && this.#steps.size === 0) return (await this.#handOver()) ? 'handed-over' : undefined
    if (!this.#timeIsUp()) for (const action of actions) if (!(await this.#start(action))) return undefined
    const done = await this.#nextDone()
    if (done === undefined) return (await this.#handOver()) ? 'handed-over' : undefined
    await this.#appendFact(done)
    return undefined
  }

  #timeIsUp(): boolean {
    return this.#stop.aborted || this.#context.clock.monotonic() - this.#begun >= this.#context.settings.sliceMs
  }

  /** False where something came in first, so that it must be decided anew what to start. */
  async #start(action: Action): Promise<boolean> {
    const turn = this.#state.answeredSeq
    if (action.do === 'callModel') {
      const work = callModel(this.#context, this.#state, this.#profile, this.#signal())
      this.#steps.start({ key: MODEL_STEP, turn }, work)
    }
    if (action.do !== 'runTool') return true
    const { call, key } = action
    const effect = this.#profile.tools.find(({ name }) => name === call.name)?.effect
    const begun: EventDraft = { type: 'tool.started', data: { callId: call.id, name: call.name, key } }
    if (effect === 'once' && !(await this.#append([begun]))) return false
    const { missionId, tenantId } = this.#claim
    const given = {
      missionId,
      tenantId,
      call,
      key,
      files: this.#state.files,
      profile: this.#profile,
      signal: this.#signal(),
    }
    this.#steps.start({ key, turn, callId: call.id }, runTool(this.#context, given))
    return true
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#work.signal, this.#stop])
  }

  /** The step that ends first; undefined when the instance is stopping and the steps in flight were cut off. */
  async #nextDone(): Promise<DoneStep | undefined> {
    try {
      return await this.#steps.next()
    } catch (error) {
      if (this.#stop.aborted) {
        if (this.#stop.reason instanceof Stopped && this.#stop.reason.why === 'drain') return undefined
        throw this.#stop.reason
      }
      throw error
    }
  }

  /** Events that follow from the state: on a conflict they are dropped, and the new state decides. */
  async #append(events: EventDraft[]): Promise<boolean> {
    const ends = events.some(({ type }) => endsJournal(type))
    const change = ends ? endTransition(events.reduce(preview, this.#state)) : undefined
    const result = await this.#context.journal.append(this.#lease, this.#state.seq, events, change)
    if (result.kind === 'lost') throw new Stopped('lost')
    if (result.kind === 'conflict') {
      await this.#rebase()
      return false
    }
    for (const event of result.recorded) {
      this.#state = evolve(this.#state, event)
      this.#context.telemetry.recorded({ ...this.#claim, profile: this.#state.profile.name }, event, this.#state)
    }
    return true
  }

  /** The result of a step is a fact: it goes in after whatever came first, unless nobody waits for it any more. */
  async #appendFact(done: DoneStep): Promise<void> {
    while (this.#state.outcome === undefined && isOpen(this.#state, done) && !(await this.#append([done.event])));
  }

  async #rebase(): Promise<void> {
    const inbox = await this.#context.missions.inbox(this.#lease)
    if (inbox === undefined) throw new Stopped('lost')
    this.#inbox = inbox
    for (const event of await this.#context.journal.read(this.#claim.missionId, this.#state.seq)) {
      this.#state = evolve(this.#state, event)
    }
  }

  async #rest(action: Extract<Action, { do: 'wait' | 'pause' }>): Promise<boolean> {
    const change = waitTransition(this.#state, action, this.#now())
    if (!(await this.#context.missions.release(this.#lease, this.#inbox, change))) {
      await this.#rebase()
      return false
    }
    const seconds = change.wakeInSeconds
    // What is due later is found by the sweep: a hidden message would keep the platform's scaler awake until then.
    if (seconds !== null && seconds <= 90) await this.#wake(Math.ceil(seconds))
    return true
  }

  async #handOver(): Promise<boolean> {
    if (!(await this.#context.missions.release(this.#lease, this.#inbox, handOverTransition(this.#state)))) {
      await this.#rebase()
      return false
    }
    await this.#wake(0)
    return true
  }

  /** A wake that can't be sent is no failure: the sweep finds the mission. */
  async #wake(inSeconds: number): Promise<void> {
    const { missionId } = this.#claim
    await this.#context.wakes
      .send(missionId, inSeconds)
      .catch((error: unknown) => this.#context.telemetry.wakeFailed({ missionId, error }))
  }
}

function preview(state: MissionState, event: EventDraft): MissionState {
  return evolve(state, { ...event, seq: state.seq + 1, at: state.createdAt })
}
