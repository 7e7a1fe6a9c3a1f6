import type { Plan, PlannedCall } from '../proof/agent.ts'
import { Random } from './random.ts'
import { SIM_TENANTS } from './tenants.ts'

/** What somebody does to a mission while it is on its way, in milliseconds after it was created. */
export interface Intervention {
  kind: 'cancel' | 'pause' | 'resume' | 'message' | 'fork' | 'continue' | 'retry'
  afterMs: number
}

export interface PlannedMission {
  plan: Plan
  profile: 'model' | 'person' | 'end'
  tenant: number
  createdMs: number
  interventions: Intervention[]
}

const MOST_MISSIONS = 4
const CREATED_WITHIN_MS = 30_000
const INTERVENED_WITHIN_MS = 120_000

/** The missions of a history, which all follow from its seed. */
export function planMissions(seed: number): PlannedMission[] {
  const missions = draw(new Random(seed, 'plans'))
  const random = new Random(seed, 'acts')
  for (const { plan } of missions) for (const calls of plan) calls.forEach((call) => mayFail(random, call))
  return missions
}

/** A call that acts once and fails, of which none may be made again. */
function mayFail(random: Random, call: PlannedCall): void {
  if (call.tool === 'act' && random.chance(0.1)) call.end = random.pick(['fails', 'may-pass'] as const)
}

function draw(random: Random): PlannedMission[] {
  return Array.from({ length: random.int(1, MOST_MISSIONS) }, () => ({
    plan: Array.from({ length: random.int(1, 4) }, () => planAnswer(random)),
    profile: random.pick(['model', 'model', 'person', 'end'] as const),
    tenant: random.int(0, SIM_TENANTS.length - 1),
    createdMs: random.int(0, CREATED_WITHIN_MS),
    interventions: random.chance(0.5) ? [] : planInterventions(random),
  }))
}

function planAnswer(random: Random): PlannedCall[] {
  return Array.from({ length: random.chance(0.6) ? 1 : random.int(2, 4) }, () => planCall(random))
}

function planCall(random: Random): PlannedCall {
  const ms = random.chance(0.1) ? random.int(5_000, 50_000) : random.skewed(3_000)
  const kind = random.int(0, 9)
  if (kind < 3) return { tool: 'act', ms }
  if (kind === 3) return { tool: 'ask', question: 'What now?' }
  if (kind === 4) return { tool: 'ask', question: 'What now, and soon?', deadlineSeconds: random.int(1, 90) }
  if (kind === 5) return { tool: 'sleep', seconds: random.int(1, 150) }
  if (random.chance(0.02)) return { tool: 'look', ms, end: 'kills' }
  const end = random.chance(0.15) ? random.pick(['fails', 'may-pass'] as const) : undefined
  const tool = random.pick(['look', 'put'] as const)
  return end === undefined ? { tool, ms } : { tool, ms, end }
}

function planInterventions(random: Random): Intervention[] {
  const at = () => random.int(0, INTERVENED_WITHIN_MS)
  const kinds = ['cancel', 'pause', 'message', 'fork', 'continue', 'retry'] as const
  return Array.from({ length: random.int(1, 3) }, () => random.pick(kinds)).flatMap((kind): Intervention[] => {
    const afterMs = at()
    if (kind !== 'pause') return [{ kind, afterMs }]
    return [
      { kind, afterMs },
      { kind: 'resume', afterMs: afterMs + random.int(0, 60_000) },
    ]
  })
}
