import type { Request, Violation } from '../history.ts'
import type { Whole } from './facts.ts'

const isCreation = ({ kind }: Request) => kind === 'create' || kind === 'fork'

/** I1: what was accepted is there, whole. I16: nothing is left of missions that are not there. */
export function existence({ history, missions, events, toolRuns, claims, reads }: Whole): Violation[] {
  const lost = new Map<string, Violation>()
  const miss = (missionId: string, what: string) =>
    void lost.set(missionId, { invariant: 'I1', counts: 'lost', missionId, what })
  for (const request of history.requests) {
    const { kind, missionId, outcome } = request
    if (outcome === 'accepted' && !missions.has(missionId))
      miss(missionId, `Its "${kind}" was accepted; it is not there.`)
  }
  for (const { id } of history.missions) if (!events.has(id)) miss(id, 'It has a row and no journal.')
  const left: [string, ReadonlyMap<string, unknown>][] = [
    ['Events', events],
    ['Runs of tools', toolRuns],
    ['Claims', claims],
    ['Readers', reads],
  ]
  const orphans = left.flatMap(([what, ofMission]) =>
    [...ofMission.keys()]
      .filter((id) => !missions.has(id) && !lost.has(id))
      .map((id): Violation => {
        return { invariant: 'I16', counts: 'illegal', missionId: id, what: `${what} of a mission that is not there.` }
      }),
  )
  return [...lost.values(), ...orphans]
}

/** I2: one mission for each key of a client, and none that nobody asked for. */
export function uniqueness({ history, missions }: Whole): Violation[] {
  const creations = history.requests.filter((request) => isCreation(request) && request.outcome !== 'refused')
  const found: Violation[] = []
  for (const [name, requests] of Map.groupBy(creations, keyOf)) {
    if (name === undefined) continue
    // Whoever got no answer may have been told of an id that was never used.
    const made = requests.filter(({ outcome, missionId }) => outcome === 'accepted' || missions.has(missionId))
    const ids = [...new Set(made.map(({ missionId }) => missionId))]
    if (ids.length < 2) continue
    const what = `The key ${requests[0]?.idempotencyKey} made ${ids.length} missions: ${ids.join(', ')}.`
    found.push({ invariant: 'I2', counts: 'duplicated', missionId: ids[0], what })
  }
  return [...found, ...unasked(creations, missions.keys(), found)]
}

function unasked(creations: readonly Request[], ids: Iterable<string>, found: readonly Violation[]): Violation[] {
  // Missions of other hands, such as a bench's: nobody wrote down who asked for them.
  if (creations.length === 0 || found.length > 0) return []
  const accepted = creations.filter(({ outcome }) => outcome === 'accepted')
  const known = new Set(accepted.map(({ missionId }) => missionId))
  const keys = new Set(accepted.flatMap((request) => keyOf(request) ?? []))
  const open = creations.filter((request) => request.outcome === 'unknown' && !keys.has(keyOf(request) ?? ''))
  const possible = new Set(open.map((request, index) => keyOf(request) ?? index)).size
  const more = [...ids].filter((id) => !known.has(id))
  if (more.length <= possible) return []
  const what = `${more.length} missions are there that no accepted request made, and ${possible} requests got no answer: ${more.join(', ')}.`
  return [{ invariant: 'I2', counts: 'duplicated', missionId: more.at(-1), what }]
}

function keyOf({ tenantId, idempotencyKey }: Request): string | undefined {
  return idempotencyKey === undefined ? undefined : `${tenantId}/${idempotencyKey}`
}
