import { z } from 'zod'
import { planItemSchema, type PlanItem } from '../event.ts'
import type { ControlTool } from './control-tool.ts'
import { parseArguments } from './parse-arguments.ts'

const input = z.strictObject({
  items: z
    .array(
      z.strictObject({
        id: planItemSchema.shape.id.min(1).max(64).describe('A short name for the item, unique in the plan.'),
        title: planItemSchema.shape.title.min(1).max(500).describe('What is to be done.'),
        status: planItemSchema.shape.status.describe('Where it stands.'),
        dependsOn: planItemSchema.shape.dependsOn.describe('Ids of the items that must be done before it.'),
      }),
    )
    .min(1)
    .max(100)
    .describe('The whole plan; it takes the place of the one before.'),
})

export const makePlan: ControlTool = {
  name: 'make_plan',
  description: 'Writes down or updates your plan: always the whole list, with the status of each item.',
  input,
  effect: 'idempotent',
  decide(call) {
    const parsed = parseArguments(input, call.arguments)
    if (!parsed.ok) return parsed
    const { items } = parsed.value
    const reason = planProblem(items)
    if (reason !== undefined) return { ok: false, reason }
    return { ok: true, event: { type: 'plan.updated', data: { callId: call.id, items } } }
  },
}

/** Why a plan can't be followed: the same id twice, an id that is not there, or items that wait for each other. */
export function planProblem(items: readonly PlanItem[]): string | undefined {
  const byId = new Map(items.map((item) => [item.id, item]))
  if (byId.size < items.length) {
    const twice = items.find((item, index) => items.findIndex((other) => other.id === item.id) !== index)
    return `The id "${twice?.id}" stands twice in the plan.`
  }
  for (const item of items) {
    const unknown = item.dependsOn?.find((id) => !byId.has(id))
    if (unknown !== undefined) return `Item "${item.id}" depends on "${unknown}", which is not in the plan.`
  }
  const circle = findCircle(byId)
  return circle === undefined ? undefined : `These items wait for each other: ${circle.join(' -> ')}.`
}

function findCircle(byId: ReadonlyMap<string, PlanItem>): string[] | undefined {
  const done = new Set<string>()
  function visit(id: string, path: string[]): string[] | undefined {
    if (path.includes(id)) return [...path.slice(path.indexOf(id)), id]
    if (done.has(id)) return undefined
    for (const next of byId.get(id)?.dependsOn ?? []) {
      const circle = visit(next, [...path, id])
      if (circle !== undefined) return circle
    }
    done.add(id)
    return undefined
  }
  for (const id of byId.keys()) {
    const circle = visit(id, [])
    if (circle !== undefined) return circle
  }
  return undefined
}
