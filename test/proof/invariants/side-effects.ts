import { stepKey } from '../../../src/domain/call-events.ts'
import type { MissionEvent } from '../../../src/domain/event.ts'
import type { ToolRun, Violation } from '../history.ts'
import type { Invariant, Subject } from './facts.ts'

/** The tools that write their own record, `plannedTools` of agent.ts. */
const RECORDED = new Set(['look', 'put', 'act'])

type Settled = Extract<MissionEvent, { type: 'tool.finished' | 'tool.failed' | 'tool.unknown' }>

/** What the journal says about calls of tools, by key. */
interface Calls {
  /** Name of the tool, of every call that the model made. */
  made: Map<string, string>
  started: Set<string>
  settled: Map<string, Settled>
}

/** I4: what tools did outside is what the journal says, and what acts once was done once at most. */
export const sideEffects: Invariant = (subject) => {
  if (subject.state === undefined) return repeated(subject)
  const calls = callsOf(subject)
  return [
    ...repeated(subject),
    ...unrecorded(subject, calls),
    ...results(subject, calls),
    ...unclaimed(subject, calls.started),
  ]
}

function callsOf({ events, steps }: Subject): Calls {
  const calls: Calls = { made: new Map(), started: new Set(), settled: new Map() }
  // Calls that a fork takes over are made under keys of its own, before any answer of its own.
  for (const { call, index } of steps[0]?.before.calls ?? []) calls.made.set(`0.${index}`, call.name)
  for (const event of events) {
    if (event.type !== 'model.answered') continue
    event.data.toolCalls.forEach(({ name }, index) => calls.made.set(`${event.seq}.${index}`, name))
  }
  for (const { before, event } of steps) {
    if (event.type === 'tool.started') calls.started.add(event.data.key)
    if (event.type !== 'tool.finished' && event.type !== 'tool.failed' && event.type !== 'tool.unknown') continue
    const entry = before.calls.find(({ call, status }) => call.id === event.data.callId && status !== 'settled')
    if (entry !== undefined) calls.settled.set(stepKey(before, entry), event)
  }
  return calls
}

/** Whatever the journal says. */
function repeated(subject: Subject): Violation[] {
  const once = Map.groupBy(
    subject.toolRuns.filter(({ effect }) => effect === 'once'),
    ({ key }) => key,
  )
  return [...once].flatMap(([key, runs]) => {
    if (runs.length < 2) return []
    return [violation(subject, 'duplicated', `Call ${key} acts once, and was made ${runs.length} times: ${who(runs)}.`)]
  })
}

/** Tools act upon what is in the journal: the model's answer, and for what acts once that it begins. */
function unrecorded(subject: Subject, { made, started }: Calls): Violation[] {
  const unknown = new Set<string>()
  const begun = new Set<string>()
  for (const { key, tool, effect } of subject.toolRuns) {
    if (made.get(key) !== tool) unknown.add(`${key} (${tool})`)
    else if (effect === 'once' && !started.has(key)) begun.add(key)
  }
  return [
    ...[...unknown].map((call) => violation(subject, 'illegal', `Call ${call} was made, and no answer asks for it.`)),
    ...[...begun].map((key) => violation(subject, 'illegal', `Call ${key} acts once, and was made unannounced.`)),
  ]
}

/** What the journal says of a call's outcome against what the tool saw. */
function results(subject: Subject, { made, settled }: Calls): Violation[] {
  const byKey = Map.groupBy(subject.toolRuns, ({ key }) => key)
  return [...settled].flatMap(([key, event]) => {
    if (!RECORDED.has(made.get(key) ?? '')) return []
    const runs = byKey.get(key) ?? []
    const done = runs.some(({ outcome }) => outcome === 'done')
    if (event.type === 'tool.finished' && !done) {
      return [violation(subject, 'lost', `Call ${key} has finished by event ${event.seq}, and was never carried out.`)]
    }
    const once = runs.some(({ effect }) => effect === 'once')
    if (event.type === 'tool.failed' && once && done) {
      return [violation(subject, 'illegal', `Call ${key} was carried out, and event ${event.seq} says that it failed.`)]
    }
    return []
  })
}

/** The claim comes between the journal's word and the act. */
function unclaimed(subject: Subject, started: ReadonlySet<string>): Violation[] {
  const claimed = new Set(subject.claims)
  const once = new Set(subject.toolRuns.flatMap(({ key, effect }) => (effect === 'once' ? [key] : [])))
  return [
    ...[...once]
      .filter((key) => !claimed.has(key))
      .map((key) => violation(subject, 'illegal', `Call ${key} acts once, and was made without a claim.`)),
    ...[...claimed]
      .filter((key) => !started.has(key))
      .map((key) => violation(subject, 'illegal', `Call ${key} was claimed, and its begin is not in the journal.`)),
  ]
}

function who(runs: readonly ToolRun[]): string {
  return runs.map(({ instance, begunAt }) => `by ${instance} at ${begunAt}`).join(', ')
}

function violation({ id }: Subject, counts: Violation['counts'], what: string): Violation {
  return { invariant: 'I4', counts, missionId: id, what }
}
