import { endsJournal, type EventDraft, type MissionEvent } from '../domain/event.ts'
import { evolve } from '../domain/evolve.ts'
import type { MissionState } from '../domain/state.ts'
import type { EngineContext } from './context.ts'
import type { Hold } from './hold.ts'
import type { Claim, Lease, Transition } from './ports.ts'
import { Stopped } from './stop-reason.ts'
import { endTransition } from './transitions.ts'

/** One claimed mission's state and its journal: what is appended is folded, and what others appended is read first. */
export class Recorder {
  readonly #context: EngineContext
  readonly #claim: Claim
  readonly #lease: Lease
  readonly #hold: Hold
  #state: MissionState
  #inbox: number

  constructor(context: EngineContext, claim: Claim, state: MissionState, hold: Hold) {
    this.#context = context
    this.#claim = claim
    this.#lease = { missionId: claim.missionId, epoch: claim.epoch, instance: context.instance }
    this.#hold = hold
    this.#state = state
    this.#inbox = claim.inbox
  }

  get state(): MissionState {
    return this.#state
  }

  /** How many events from outside are in the state. */
  get inbox(): number {
    return this.#inbox
  }

  /** The state as it would be after an event that is not recorded yet. */
  preview(event: EventDraft): MissionState {
    return preview(this.#state, event)
  }

  /**
   * Events that follow from the state, all or none. False on a conflict: they are dropped, the state is up to date then, and
   * decides anew. Throws Stopped `lost` where the lease is gone.
   */
  async append(drafts: EventDraft[]): Promise<boolean> {
    const events = drafts.map((draft) => sparing(draft, this.#state.seq))
    const ends = events.some(({ type }) => endsJournal(type))
    const change = ends ? endTransition(events.reduce(preview, this.#state)) : undefined
    const result = await this.#context.journal.append(this.#lease, this.#state.seq, events, change)
    if (result.kind === 'lost') throw new Stopped('lost')
    if (result.kind === 'conflict') {
      await this.rebase()
      return false
    }
    this.#hold.clear()
    for (const event of result.recorded) {
      this.#state = evolve(this.#state, event)
      this.tell(event)
    }
    return true
  }

  /** Gives the lease back. False where something came in from outside meanwhile: it was read then, and must be decided upon first. */
  async release(change: Transition): Promise<boolean> {
    const guarded = { ...change, inbox: this.#inbox }
    const result = await this.#context.journal.append(this.#lease, this.#state.seq, [], guarded)
    if (result.kind === 'recorded') return true
    await this.rebase()
    return false
  }

  /** Says in the log that an event was recorded. */
  tell(event: MissionEvent): void {
    this.#context.telemetry.recorded({ ...this.#claim, profile: this.#state.profile.name }, event, this.#state)
  }

  /** Reads what others appended. Throws Stopped `lost` where the lease is gone. */
  async rebase(): Promise<void> {
    const inbox = await this.#context.missions.inbox(this.#lease)
    if (inbox === undefined) throw new Stopped('lost')
    this.#inbox = inbox
    for (const event of await this.#context.journal.read(this.#claim.missionId, this.#state.seq)) {
      this.#state = evolve(this.#state, event)
    }
  }
}

/** What the model had seen is recorded only where something came in while it thought: otherwise the number before tells it. */
function sparing(draft: EventDraft, seq: number): EventDraft {
  if (draft.type !== 'model.answered' || draft.data.seenSeq !== seq) return draft
  return { ...draft, data: { ...draft.data, seenSeq: undefined } }
}

function preview(state: MissionState, event: EventDraft): MissionState {
  return evolve(state, { ...event, seq: state.seq + 1, at: state.createdAt })
}
