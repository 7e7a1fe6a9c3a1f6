import type { Fault, Violation } from '../proof/history.ts'
import type { Snapshot } from './backend.ts'

/** What a plan may come to without anybody's fault: a call that nobody knows the outcome of, and a model that is away for long. */
const EXPECTED: ReadonlySet<string | undefined> = new Set(['unknown_outcome', 'rate_limited'])

/** Why a process was killed by a call of a plan. */
export const BY_TOOL = 'a tool that kills'

const CRASH_LIMIT = 5
/** Kills by one that its instances die of, until it is suspected and held by those only that hold no other suspect. */
const UNSUSPECTED = 2

/** Missions that failed for a reason that neither their plan nor the world gave them. */
export function endings({ missions, events }: Snapshot, faults: readonly Fault[]): Violation[] {
  const created = events.filter(({ type }) => type === 'mission.created')
  const goals = new Map(created.map(({ missionId, data }) => [missionId, JSON.stringify(data)]))
  const parents = new Map(missions.map(({ id, forkedFrom }) => [id, forkedFrom]))
  /** Also of a mission that this one goes on from. */
  function kills(id: string): boolean {
    const parent = parents.get(id) ?? undefined
    return goals.get(id)?.includes('kills') === true || (parent !== undefined && kills(parent))
  }
  const killers = missions.filter(({ id }) => kills(id)).length
  /** So many of its instances were killed by chance that a mission which kills has to answer for no more than it may. */
  function isUnlucky(id: string): boolean {
    const kinds = faults.filter(({ kind, why }) => kind === 'kill' && why !== BY_TOOL)
    const own = kinds.filter(({ owned }) => owned === undefined || owned.some(({ missionId }) => missionId === id))
    return own.length >= CRASH_LIMIT - UNSUSPECTED * killers && own.length > 0
  }
  return missions.flatMap(({ id, status, summary }) => {
    const { code } = (summary['error'] ?? {}) as { code?: string }
    if (status !== 'failed' || EXPECTED.has(code)) return []
    if (code === 'crash_loop' && (kills(id) || isUnlucky(id))) return []
    return [{ invariant: 'ending', counts: 'illegal' as const, missionId: id, what: `It failed with ${code}.` }]
  })
}
