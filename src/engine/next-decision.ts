import { z } from 'zod'
import { decide, type Abilities } from '../domain/decide.ts'
import { effectiveProfileSchema, type EffectiveProfile } from '../domain/profile.ts'
import type { MissionState } from '../domain/state.ts'
import { foldLine } from './fold-line.ts'

const rowSchema = z.object({ seq: z.int(), v: z.int(), type: z.string(), data: z.unknown(), at: z.number() })

/** Plain JSON, since the builds on its two sides differ: what has been released stays as it is, and more gets a new `v`. */
const inputSchema = z.object({
  v: z.literal(1),
  journal: z.array(rowSchema),
  /** Of the missions that this one goes on from, the nearest first: the events that it shares with each. */
  parents: z.array(z.array(rowSchema)).default([]),
  /** The body of the profile that the mission was pinned to. */
  profile: z.unknown(),
  /** The time of the decision, milliseconds since 1970: the same for both builds, so that they decide on the same facts. */
  now: z.number(),
})

export type DecisionInput = z.input<typeof inputSchema>

/** `decision`: the actions as JSON with its members in order, so that equal texts are equal decisions. */
export type Decision = { readable: true; decision: string } | { readable: false; why: string }

/** Of an instance that does nothing: the events of a decision name it. */
const INSTANCE = 'check-deploy'

/**
 * What this build would do next with a mission, without doing it; pure. Built into `check-deploy.cjs` beside the bundle,
 * where a later build's `npm run check-deploy` asks it.
 * @throws ZodError for an input of a form that this build does not know.
 */
export function nextDecision(input: DecisionInput): Decision {
  const { journal, parents, profile, now } = inputSchema.parse(input)
  const pinned = effectiveProfileSchema.safeParse(profile)
  if (!pinned.success) {
    const [issue] = pinned.error.issues
    return { readable: false, why: `Its profile can't be read: ${issue?.path.join('.')}: ${issue?.message}` }
  }
  try {
    return { readable: true, decision: decisionOf(foldLine([journal, ...parents]), pinned.data, now) }
  } catch (error) {
    // A build may also have a defect that only this journal shows.
    return { readable: false, why: error instanceof Error ? error.message : String(error) }
  }
}

function decisionOf(state: MissionState, profile: EffectiveProfile, now: number): string {
  const { tools, unknownOutcomes } = profile
  const names = new Set(tools.map(({ name }) => name))
  const abilities: Abilities = { instance: INSTANCE, tools: names, inFlight: new Set(), unknownOutcomes }
  return JSON.stringify(decide(state, now, abilities), inOrder)
}

/** As the second argument of JSON.stringify: members by name, whatever order the code made them in. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
