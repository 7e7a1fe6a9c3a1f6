import { z } from 'zod'
import type { JournalEvent } from './schemas.ts'

/** What the lines of later events need to know of the earlier ones. */
export interface View {
  /** Arguments by call id, since `tool.finished` names only the call. */
  calls: ReadonlyMap<string, string>
  plan: readonly PlanItem[]
}

const planItemSchema = z.looseObject({ id: z.string(), title: z.string(), status: z.string() })

export const planSchema = z.looseObject({ items: z.array(planItemSchema) })

export const modelAnswerSchema = z.looseObject({
  model: z.string(),
  text: z.string().default(''),
  toolCalls: z
    .array(z.looseObject({ id: z.string(), name: z.string(), arguments: z.string().default('') }))
    .default([]),
  usage: z.looseObject({
    inputTokens: z.number(),
    outputTokens: z.number(),
    costUsd: z.string().default('0'),
    estimated: z.boolean().optional(),
  }),
  durationMs: z.number(),
})

export type PlanItem = z.infer<typeof planItemSchema>

export const emptyView: View = { calls: new Map(), plan: [] }

/** Folds one event into what is known; call it after the event was rendered. */
export function nextView(view: View, event: JournalEvent): View {
  if (event.type === 'model.answered') {
    const answer = modelAnswerSchema.safeParse(event.data)
    const calls = answer.data?.toolCalls.map((call) => [call.id, call.arguments] as const) ?? []
    return calls.length === 0 ? view : { ...view, calls: new Map([...view.calls, ...calls]) }
  }
  if (event.type === 'plan.updated') {
    const plan = planSchema.safeParse(event.data)
    return plan.success ? { ...view, plan: plan.data.items } : view
  }
  return view
}
