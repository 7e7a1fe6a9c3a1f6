import type { ToolRun, Violation } from '../proof/history.ts'
import type { Lane } from './lane.ts'
import type { Scenario } from './mission.ts'

/** What a journal has to hold, whatever died on the way; a call that acts once may have an unknown outcome instead. */
const ACTED = ['tool.finished act', 'tool.unknown act']

const EXPECTED: Readonly<Record<Scenario, readonly (readonly string[])[]>> = {
  watched: [['mission.created', 'mission.started', 'model.answered', 'mission.completed']],
  whole: [
    [
      'mission.created',
      'mission.started',
      'model.answered',
      'tool.finished look',
      'tool.finished look',
      'tool.finished put',
      'model.answered',
      'tool.started act',
      'tool.finished act',
      'model.answered',
      'question.asked',
      'mission.message',
      'question.answered',
      'model.answered',
      'timer.set',
      'timer.fired',
      'model.answered',
      'mission.message',
      'tool.finished look',
      'model.answered',
      'mission.completed',
    ],
    ['mission.created', 'mission.started', 'tool.finished look', 'model.answered', 'mission.completed'],
  ],
}

const RESULT: Readonly<Record<Scenario, string>> = { whole: 'Done after 5 answers', watched: 'Done after 0 answers' }

interface EventRow {
  type: string
  name: string | null
  text: string | null
}

/**
 * Where the missions of one point did not come to the ends that they would have come to without any fault.
 * @param mayBeUnknown whether anything happened after which nobody can know how a call ended
 */
export async function misses(
  lane: Lane,
  scenario: Scenario,
  ids: readonly string[],
  toolRuns: readonly ToolRun[],
  mayBeUnknown: boolean,
): Promise<Violation[]> {
  const found: Violation[] = []
  const expected = EXPECTED[scenario]
  for (const [index, wanted] of expected.entries()) {
    const missionId = ids[index]
    if (missionId === undefined) {
      found.push({ invariant: 'I1', counts: 'lost', what: `only ${index} of ${expected.length} missions were made` })
      break
    }
    const events = await lane.sql<EventRow>(EVENTS, [missionId])
    const runs = toolRuns.filter((run) => run.missionId === missionId && run.effect === 'once')
    const wrongs = [journal(events, wanted, mayBeUnknown), ending(events, RESULT[scenario]), acting(events, runs)]
    found.push(...wrongs.flatMap((wrong) => (wrong === undefined ? [] : [{ ...wrong, missionId }])))
  }
  return found
}

const EVENTS = `
  select type, data->>'name' as name, data->'result'->>'text' as text
  from taskforce.events where mission_id = $1 order by seq`

function journal(events: readonly EventRow[], wanted: readonly string[], mayBeUnknown: boolean): Violation | undefined {
  const found = inOrder(events.map(({ type, name }) => (name === null ? type : `${type} ${name}`)))
  const isRight =
    found.length === wanted.length &&
    found.every((line, at) => line === wanted[at] || (mayBeUnknown && areBothActs(line, wanted[at])))
  if (isRight) return undefined
  const counts = found.length > wanted.length ? 'duplicated' : 'lost'
  return { invariant: 'I3', counts, what: `its journal is ${found.join(', ')}` }
}

function areBothActs(one: string, other: string | undefined): boolean {
  return ACTED.includes(one) && other !== undefined && ACTED.includes(other)
}

/** Calls that are made side by side end in any order. */
function inOrder(lines: readonly string[]): string[] {
  const groups: string[][] = []
  for (const line of lines) {
    const isResult = line.startsWith('tool.finished ')
    const before = groups.at(-1)
    if (isResult && before?.[0]?.startsWith('tool.finished ') === true) before.push(line)
    else groups.push([line])
  }
  return groups.flatMap((group) => group.toSorted())
}

function ending(events: readonly EventRow[], text: string): Violation | undefined {
  const last = events.at(-1)
  if (last?.type === 'mission.completed' && last.text === text) return undefined
  if (last?.type === 'mission.completed')
    return { invariant: 'I3', counts: 'illegal', what: `its result is "${last.text}"` }
  return { invariant: 'I8', counts: 'stuck', what: `it ended with ${last?.type ?? 'no event'}` }
}

/** @param runs of the tools that act once */
function acting(events: readonly EventRow[], runs: readonly ToolRun[]): Violation | undefined {
  if (runs.length > 1) return { invariant: 'I4', counts: 'duplicated', what: `it acted ${runs.length} times` }
  const isRecorded = events.some(({ type, name }) => type === 'tool.finished' && name === 'act')
  if (!isRecorded || runs[0]?.outcome === 'done') return undefined
  return { invariant: 'I4', counts: 'illegal', what: 'it has recorded a call that acts once and was not made' }
}
