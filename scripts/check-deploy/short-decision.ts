import { z } from 'zod'

/** Of any build: what is there is shown, and what another build leaves out or adds harms nothing. */
const actionSchema = z.looseObject({
  do: z.string(),
  event: z.looseObject({ type: z.string(), data: z.looseObject({}).optional() }).optional(),
  call: z.looseObject({ name: z.string() }).optional(),
  key: z.string().optional(),
  waiting: z.looseObject({ kind: z.string(), until: z.number().optional() }).optional(),
})

type Action = z.infer<typeof actionSchema>

/** Members of an event that say which one it is; texts are left out, they may be confidential. */
const TELLING = ['code', 'questionId', 'timerId', 'callId', 'name']

/** A decision in a few words, such as `runTool write_file 4.0`; nothing that users or models wrote at length. */
export function shortDecision(decision: string): string {
  const actions = z.array(actionSchema).safeParse(parse(decision))
  if (!actions.success) return 'something that this build does not know'
  return actions.data.map(shortAction).join(', ') || 'nothing'
}

/** Both sides in a few words; where these are the same, with the place where the decisions differ. */
export function describeChange(old: string, current: string): { old: string; new: string } {
  const [before, now] = [shortDecision(old), shortDecision(current)]
  if (before !== now) return { old: before, new: now }
  const place = firstDifference(parse(old), parse(current))
  return { old: before, new: `${now}, with another ${place}` }
}

function shortAction({ do: what, event, call, key, waiting }: Action): string {
  const until = waiting?.until === undefined ? [] : ['until', new Date(waiting.until).toISOString()]
  const words = [what, event?.type, ...telling(event), call?.name, key, waiting?.kind, ...until]
  return words.filter((word) => word !== undefined).join(' ')
}

function telling(event: Action['event']): string[] {
  const data = event?.data ?? {}
  const error = data['error']
  const all = typeof error === 'object' && error !== null ? { ...data, ...error } : data
  return TELLING.flatMap((name) => {
    const value = (all as Record<string, unknown>)[name]
    return typeof value === 'string' ? [value.slice(0, 80)] : []
  })
}

/** Where two values of JSON differ first, as `0.event.data.message`. */
function firstDifference(a: unknown, b: unknown): string {
  if (!isTree(a) || !isTree(b)) return 'value'
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (JSON.stringify(a[name]) === JSON.stringify(b[name])) continue
    const deeper = firstDifference(a[name], b[name])
    return deeper === 'value' ? name : `${name}.${deeper}`
  }
  return 'value'
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function parse(decision: string): unknown {
  try {
    return JSON.parse(decision)
  } catch {
    return undefined
  }
}
