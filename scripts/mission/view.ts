import { nextActivity, noActivity, type Activity } from './activity.ts'
import { modelAnswerSchema, planSchema, type PlanItem } from './event-data.ts'
import type { JournalEvent } from './schemas.ts'
import { oneLine } from './text.ts'

/** What the lines of later events, and the live view, need to know of the earlier ones. */
export interface View {
  /** Arguments by call id, since `tool.finished` names only the call. */
  calls: ReadonlyMap<string, string>
  plan: readonly PlanItem[]
  activity: Activity
}

export const emptyView: View = { calls: new Map(), plan: [], activity: noActivity }

/** Folds one event into what is known; pure. Call it after the event was rendered. */
export function nextView(before: View, event: JournalEvent): View {
  const view = { ...before, activity: nextActivity(before.activity, event) }
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

/** What the model chose for a call, on one line; undefined where that is nothing. */
export function shortArguments(view: Pick<View, 'calls'>, callId: string): string | undefined {
  const text = oneLine(view.calls.get(callId) ?? '')
  return text === '' || text === '{}' ? undefined : text
}
