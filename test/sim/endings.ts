import type { Violation } from '../proof/history.ts'
import type { Snapshot } from './backend.ts'

/** What a plan may come to without anybody's fault: a call that nobody knows the outcome of, and a model that is away for long. */
const EXPECTED: ReadonlySet<string | undefined> = new Set(['unknown_outcome', 'rate_limited'])

/** Missions that failed for a reason that neither their plan nor the world gave them. */
export function endings({ missions, events }: Snapshot): Violation[] {
  const created = events.filter(({ type }) => type === 'mission.created')
  const goals = new Map(created.map(({ missionId, data }) => [missionId, JSON.stringify(data)]))
  const parents = new Map(missions.map(({ id, forkedFrom }) => [id, forkedFrom]))
  /** Also of a mission that this one goes on from. */
  function kills(id: string): boolean {
    const parent = parents.get(id) ?? undefined
    return goals.get(id)?.includes('kills') === true || (parent !== undefined && kills(parent))
  }
  return missions.flatMap(({ id, status, summary }) => {
    const { code } = (summary['error'] ?? {}) as { code?: string }
    if (status !== 'failed' || EXPECTED.has(code) || (code === 'crash_loop' && kills(id))) return []
    return [{ invariant: 'ending', counts: 'illegal' as const, missionId: id, what: `It failed with ${code}.` }]
  })
}
