import type { EventType } from '../../../src/domain/event.ts'
import type { Request, Violation } from '../history.ts'
import { wasFrozen, type Invariant, type Subject, type Whole } from './facts.ts'

/** I13: what a client was told of a cancel, a pause, a resume or a message is so. */
export const commands: Invariant = (subject, whole) => {
  if (subject.state === undefined) return []
  return [
    ...cancels(subject),
    ...actsAfterCancel(subject, whole),
    // A pause of a paused mission and a resume of one that moves are accepted, and nothing is recorded.
    ...counted(subject, 'pause', 'mission.paused', (accepted) => Math.min(accepted, 1)),
    ...counted(subject, 'resume', 'mission.resumed', () => 0),
    ...counted(subject, 'message', 'mission.message', (accepted) => accepted),
  ]
}

function cancels(subject: Subject): Violation[] {
  const { state } = subject
  const asked = requestsOf(subject, 'cancel')
  const cancelled = state?.outcome?.status === 'cancelled'
  if (cancelled && asked.length === 0)
    return [violation(subject, 'illegal', 'It was cancelled, and nobody asked for it.')]
  if (cancelled || asked.every(({ outcome }) => outcome !== 'accepted')) return []
  const how = state?.outcome === undefined ? 'has not ended' : `has ${state.outcome.status}`
  return [violation(subject, 'lost', `Its cancel was accepted, and it ${how}.`)]
}

function actsAfterCancel(subject: Subject, { history, bounds }: Whole): Violation[] {
  const accepted = requestsOf(subject, 'cancel').filter(({ outcome }) => outcome === 'accepted')
  if (accepted.length === 0) return []
  const since = Math.min(...accepted.map(({ at }) => at))
  const late = subject.toolRuns.filter(({ begunAt, instance }) => {
    return begunAt > since + bounds.cancelMs && !wasFrozen(history.faults, instance, since, begunAt)
  })
  return late.map(({ tool, key, instance, begunAt }) => {
    const what = `${instance} began ${tool} (${key}) ${begunAt - since} ms after the cancel was accepted.`
    return violation(subject, 'illegal', what)
  })
}

/** As many events as were accepted, or as may have been. */
function counted(
  subject: Subject,
  kind: Request['kind'],
  type: EventType,
  least: (accepted: number) => number,
): Violation[] {
  const requests = requestsOf(subject, kind)
  const accepted = distinct(requests.filter(({ outcome }) => outcome === 'accepted'))
  const most = distinct(requests).size
  const recorded = subject.events.filter((event) => event.type === type).length
  const said = `${accepted.size} of ${most} requests "${kind}" are known to be accepted, and ${recorded} are in the journal.`
  if (recorded < least(accepted.size)) return [violation(subject, 'lost', said)]
  return recorded > most ? [violation(subject, 'duplicated', said)] : []
}

/** Those that were not refused. */
function requestsOf({ requests }: Subject, wanted: Request['kind']): Request[] {
  return requests.filter(({ kind, outcome }) => kind === wanted && outcome !== 'refused')
}

/** A request that is repeated under its key counts once. */
function distinct(requests: readonly Request[]): Set<string | Request> {
  return new Set(requests.map((request) => request.idempotencyKey ?? request))
}

function violation({ id }: Subject, counts: Violation['counts'], what: string): Violation {
  return { invariant: 'I13', counts, missionId: id, what }
}
