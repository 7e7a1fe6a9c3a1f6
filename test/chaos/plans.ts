import type { Plan, PlannedCall } from '../proof/agent.ts'
import type { Random } from '../sim/random.ts'

/** What somebody does to a mission while it is on its way, in milliseconds after it was created. */
export interface Intervention {
  kind: 'cancel' | 'pause' | 'message' | 'fork' | 'go-on'
  afterMs: number
}

export interface PlannedMission {
  plan: Plan
  profile: 'model' | 'person' | 'end'
  tenant: number
  priority: number
  /** Absent: the client makes no key, and so does not repeat what it got no answer to. */
  key: string | undefined
  /** Asked for twice at the same moment, as by a proxy that repeats. */
  twice: boolean
  watched: boolean
  interventions: Intervention[]
}

const MOST_ANSWERS = 6
/** Of the last tenant: with a quarter of all, its missions queued for minutes for their four places. */
const OF_THE_LIMITED = 0.1
/** Most missions last for seconds, so what comes later finds many of them ended. */
const INTERVENED_WITHIN_MS = 6_000

export function planMission(random: Random, number: number, tenants: number): PlannedMission {
  return {
    plan: Array.from({ length: random.int(1, MOST_ANSWERS) }, () => planAnswer(random)),
    profile: random.pick(['model', 'model', 'person', 'end'] as const),
    tenant: random.chance(OF_THE_LIMITED) ? tenants - 1 : random.int(0, tenants - 2),
    priority: random.int(-2, 2),
    key: random.chance(0.9) ? `mission ${number}` : undefined,
    twice: random.chance(0.15),
    watched: random.chance(0.3),
    interventions: random.chance(0.6) ? [] : planInterventions(random),
  }
}

function planAnswer(random: Random): PlannedCall[] {
  return Array.from({ length: random.chance(0.5) ? 1 : random.int(2, 4) }, () => planCall(random))
}

function planCall(random: Random): PlannedCall {
  const ms = lasting(random)
  const kind = random.next()
  if (kind < 0.3) return { tool: 'act', ms, ...failing(random, 0.05) }
  if (kind < 0.36) return { tool: 'ask', question: 'What now?' }
  if (kind < 0.42) return { tool: 'ask', question: 'What now, and soon?', deadlineSeconds: random.int(1, 8) }
  if (kind < 0.5) return { tool: 'sleep', seconds: random.int(1, 5) }
  return { tool: random.pick(['look', 'put'] as const), ms, ...failing(random, 0.1) }
}

/** Mostly short. The longest outlast a lease and a half: whoever lost it in between must stop them. */
function lasting(random: Random): number {
  if (random.chance(0.03)) return random.int(4_000, 8_000)
  return random.int(5, 400)
}

function failing(random: Random, probability: number): { end?: 'fails' | 'may-pass' } {
  return random.chance(probability) ? { end: random.pick(['fails', 'may-pass'] as const) } : {}
}

function planInterventions(random: Random): Intervention[] {
  const kinds = ['cancel', 'pause', 'pause', 'message', 'message', 'fork', 'fork', 'go-on'] as const
  return Array.from({ length: random.int(1, 2) }, () => ({
    kind: random.pick(kinds),
    afterMs: random.int(0, INTERVENED_WITHIN_MS),
  }))
}
