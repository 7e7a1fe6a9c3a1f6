import type { TenantTx } from '../db/connection.ts'
import { readProfile } from '../db/queries/profiles.ts'
import type { MissionEvent } from '../domain/event.ts'
import { evolve } from '../domain/evolve.ts'
import { effectiveProfileSchema } from '../domain/profile.ts'
import type { MissionState } from '../domain/state.ts'
import type { Journal } from '../engine/ports.ts'
import { Refusal } from './refusal.ts'

const pinnedTools = effectiveProfileSchema.pick({ tools: true })

/**
 * Ids of the calls that are pending after event `seq` of a mission and began later all the same. Where they come from a
 * mission that this one goes on from, they may have begun there after the journals parted: one read for each such mission.
 * @param events the mission's own journal, all of it
 * @param state the state after event `seq`
 */
export async function begunLater(
  journal: Pick<Journal, 'read'>,
  events: readonly MissionEvent[],
  seq: number,
  state: MissionState,
): Promise<string[]> {
  const pending = new Set(pendingIds(state))
  const begun = new Set<string>()
  let line: { events: readonly MissionEvent[]; seq: number } | undefined = { events, seq }
  while (line !== undefined && pending.size > 0) {
    for (const id of begunBeforeNextAnswer(line.events.slice(line.seq))) if (pending.has(id)) begun.add(id)
    const from = inheritedFrom(line.events.slice(0, line.seq))
    line = from && { events: await journal.read(from.id, 0), seq: from.seq }
  }
  return [...begun]
}

/**
 * A mission that goes on may begin its pending calls at any moment, also between this look and the fork's first step: what
 * acts once would then be done twice.
 * @throws Refusal `illegal_state` where there are such calls after event `seq`
 */
export async function refuseActingTwice(
  tx: TenantTx,
  tenantId: string,
  state: MissionState,
  later: readonly MissionEvent[],
): Promise<void> {
  const now = later.reduce<MissionState>(evolve, state)
  if (now.outcome !== undefined || now.paused || now.answeredSeq !== state.answeredSeq) return
  const pending = now.calls.filter(({ status }) => status === 'pending').map(({ call }) => call.name)
  if (pending.length === 0) return
  const pinned = pinnedTools.safeParse(await readProfile(tx, tenantId, state.profile.hash))
  // Of a profile that this build can't read, any tool may be one that acts once.
  const actsOnce = (name: string) =>
    !pinned.success || pinned.data.tools.some((tool) => tool.name === name && tool.effect === 'once')
  const names = [...new Set(pending.filter(actsOnce))]
  if (names.length === 0) return
  const why = `The mission is about to make calls that act once (${names.join(', ')}), and a fork would make them too`
  throw new Refusal(
    'illegal_state',
    `${why}. Wait until they are made, pause it first, or give "content": then the fork leaves them out.`,
  )
}

function pendingIds({ calls }: MissionState): string[] {
  return calls.filter(({ status }) => status === 'pending').map(({ call }) => call.id)
}

/** A call's id is its own among the calls of one answer; the next answer may use it again. */
function begunBeforeNextAnswer(events: readonly MissionEvent[]): string[] {
  const next = events.findIndex(({ type }) => type === 'model.answered')
  return (next === -1 ? events : events.slice(0, next)).flatMap(({ type, data }) =>
    type === 'tool.started' ? [data.callId] : [],
  )
}

/** The mission that the open calls come from, unless an answer in these events asked for them. */
function inheritedFrom(events: readonly MissionEvent[]): { id: string; seq: number } | undefined {
  const [first] = events
  if (first?.type !== 'mission.created' || events.some(({ type }) => type === 'model.answered')) return undefined
  return first.data.forkedFrom
}
