import { decide, failure, MODEL_STEP, type Action } from '../domain/decide.ts'
import type { EventDraft, Failure } from '../domain/event.ts'
import { endOfTime } from '../domain/limits.ts'
import { parseEvent } from '../domain/parse-event.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import type { MissionState } from '../domain/state.ts'
import { callModel } from './call-model.ts'
import type { EngineContext } from './context.ts'
import { foldJournal } from './fold-journal.ts'
import type { Hold } from './hold.ts'
import type { Claim } from './ports.ts'
import { Recorder } from './recorder.ts'
import { canRun, runTool } from './run-tool.ts'
import { isOpen, Steps, type DoneStep } from './steps.ts'
import { Stopped } from './stop-reason.ts'
import { handOverTransition, waitTransition } from './transitions.ts'

/** `ended` and `waiting` need nothing more; `handed-over`: a wake was sent; `lost`: another instance goes on. */
export type SliceEnd = 'ended' | 'waiting' | 'handed-over' | 'lost'

/** What may stop or turn a slice from outside. */
export interface Outside {
  hold: Hold
  /** The instance goes down, or the deployment drains. */
  drain: AbortSignal
  /** After this long nothing more is begun, and the mission is handed over. */
  sliceMs: number
}

/** Crashes in a row without an event in between after which a mission is given up. */
const CRASH_LIMIT = 5

const CRASH_LOOP: Failure = {
  code: 'crash_loop',
  message: `The mission was taken up ${CRASH_LIMIT} times in a row without a step in between: its instance died, or failed on it.`,
  hint: 'Look in the logs of that time for errors, out-of-memory or starts of the app; then start the mission again.',
}

/** Moves one claimed mission until it ends, waits, the slice's time is up, or the lease is gone. */
export async function runSlice(context: EngineContext, claim: Claim, outside: Outside): Promise<SliceEnd> {
  const begun = context.clock.monotonic()
  // One after the other: most profiles are known already, and side by side they would open a second connection, 20 ms, to save 1.
  const profile = await context.missions.profile(claim.tenantId, claim.profileHash)
  const events = claim.events?.map(parseEvent) ?? (await context.journal.read(claim.missionId, 0))
  const recorder = new Recorder(
    context,
    claim,
    await foldJournal(context.journal, claim.missionId, events),
    outside.hold,
  )
  const last = events.at(-1)
  if (claim.began && last !== undefined) recorder.tell(last)
  const slice = new Slice({ context, claim, recorder, begun, profile, outside })
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
  recorder: Recorder
  profile: EffectiveProfile
  /** When the claim was answered, by the context's clock. */
  begun: number
  outside: Outside
}

class Slice {
  readonly #context: EngineContext
  readonly #claim: Claim
  readonly #recorder: Recorder
  readonly #profile: EffectiveProfile
  readonly #outside: Outside
  readonly #work = new AbortController()
  /** Of what acts once: a drain does not cut it off, which would leave its outcome unknown; the instance waits for it. */
  readonly #leaseSignal: AbortSignal
  /** Of everything else, which whoever goes on can make again. */
  readonly #signal: AbortSignal
  readonly #steps = new Steps()
  readonly #tools: ReadonlySet<string>
  readonly #begun: number

  constructor({ context, claim, recorder, profile, begun, outside }: SliceParts) {
    this.#context = context
    this.#claim = claim
    this.#recorder = recorder
    this.#profile = profile
    this.#tools = new Set(profile.tools.map(({ name }) => name))
    this.#begun = begun
    this.#outside = outside
    const { hold, drain } = outside
    this.#leaseSignal = AbortSignal.any([this.#work.signal, hold.lost])
    this.#signal = AbortSignal.any([this.#leaseSignal, drain])
    hold.listen(() => this.#steps.nudge())
  }

  async run(): Promise<SliceEnd> {
    const { state } = this.#recorder
    if (this.#claim.crashes >= CRASH_LIMIT && state.outcome === undefined) {
      await this.#recorder.append(failure(state, CRASH_LOOP))
    }
    for (;;) {
      if (this.#outside.hold.inbox > this.#recorder.inbox) await this.#recorder.rebase()
      const actions = this.#decide(this.#recorder.state)
      if (actions.some(({ do: what }) => what === 'stop')) return 'ended'
      const events = appendsOf(actions)
      if (events.length > 0) {
        await this.#recorder.append(events)
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

  #decide(state: MissionState): Action[] {
    const { unknownOutcomes } = this.#profile
    const { instance } = this.#context
    const abilities = { instance, tools: this.#tools, inFlight: this.#steps.keys(), unknownOutcomes }
    return decide(state, this.#now(), abilities)
  }

  /** The database's clock: its time at the claim, carried on by a clock that never jumps. */
  #now(): number {
    return this.#claim.now + (this.#context.clock.monotonic() - this.#begun)
  }

  async #move(actions: Action[]): Promise<SliceEnd | undefined> {
    const rest = actions.find((action) => action.do === 'wait' || action.do === 'pause')
    if (rest !== undefined) return (await this.#rest(rest)) ? 'waiting' : undefined
    for (const action of actions) {
      if (this.#timeIsUp()) break
      if (!(await this.#start(action))) return undefined
    }
    if (this.#steps.size === 0) return (await this.#handOver()) ? 'handed-over' : undefined
    // A step that outlasts the mission's time is cut off with it: what follows then is decided by the limit.
    const ended = await this.#steps.next(endOfTime(this.#recorder.state) - this.#now())
    if (ended === undefined) return undefined
    if ('event' in ended) await this.#appendFact(ended)
    else this.#cutOff(ended.error)
    return undefined
  }

  #timeIsUp(): boolean {
    this.#outside.hold.look()
    if (this.#signal.aborted) return true
    return this.#context.clock.monotonic() - this.#begun >= this.#outside.sliceMs
  }

  /** A drain cuts steps off, and whoever goes on makes them again; anything else ends the slice. */
  #cutOff(error: unknown): void {
    const { hold, drain } = this.#outside
    if (hold.lost.aborted) throw hold.lost.reason
    if (!drain.aborted || error !== drain.reason) throw error
  }

  /** False where something came in first, so that it must be decided anew what to start. */
  async #start(action: Action): Promise<boolean> {
    const turn = this.#recorder.state.answeredSeq
    if (action.do === 'callModel') {
      const work = callModel(this.#context, this.#recorder.state, this.#profile, this.#signal, this.#outside.hold)
      this.#steps.start({ key: MODEL_STEP, turn }, work)
    }
    if (action.do !== 'runTool') return true
    const { call, key } = action
    const once = this.#profile.tools.find(({ name }) => name === call.name)?.effect === 'once'
    const begun: EventDraft = { type: 'tool.started', data: { callId: call.id, name: call.name, key } }
    // A call that will be refused for what the model wrote has no outcome that could be unknown.
    if (once && canRun(this.#context, call) && !(await this.#recorder.append([begun]))) return false
    const { missionId, tenantId } = this.#claim
    const { files } = this.#recorder.state
    const signal = once ? this.#leaseSignal : this.#signal
    const run = { missionId, tenantId, call, key, files, profile: this.#profile, signal, hold: this.#outside.hold }
    this.#steps.start({ key, turn, callId: call.id }, runTool(this.#context, run))
    return true
  }

  /** The result of a step is a fact: it goes in after whatever came first, unless nobody waits for it any more. */
  async #appendFact(done: DoneStep): Promise<void> {
    while (this.#recorder.state.outcome === undefined && isOpen(this.#recorder.state, done)) {
      if (await this.#recorder.append([done.event, ...this.#consequences(done.event)])) return
    }
  }

  /**
   * What follows from the model's answer without any hands (the end of the mission, a question, a plan) goes in with it: one
   * statement and one commit for both.
   */
  #consequences(event: EventDraft): EventDraft[] {
    return event.type === 'model.answered' ? appendsOf(this.#decide(this.#recorder.preview(event))) : []
  }

  async #rest(action: Extract<Action, { do: 'wait' | 'pause' }>): Promise<boolean> {
    const change = waitTransition(this.#recorder.state, action, this.#now())
    if (!(await this.#recorder.release(change))) return false
    const seconds = change.wakeInSeconds
    // What is due later is found by the sweep: a hidden message would keep the platform's scaler awake until then.
    if (seconds !== null && seconds <= 90) await this.#wake(Math.ceil(seconds))
    return true
  }

  async #handOver(): Promise<boolean> {
    if (!(await this.#recorder.release(handOverTransition(this.#recorder.state)))) return false
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

function appendsOf(actions: readonly Action[]): EventDraft[] {
  return actions.flatMap((action) => (action.do === 'append' ? [action.event] : []))
}
