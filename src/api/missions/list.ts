import { z } from 'zod'
import { listMissions } from '../../missions/list-missions.ts'
import type { Endpoint } from '../endpoints.ts'
import { json } from '../http.ts'
import { parse, text, wholeNumber } from '../parse.ts'

const querySchema = z.strictObject({
  limit: wholeNumber(1, 100).default(20),
  cursor: z.string().max(500).optional(),
  status: z.enum(['queued', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled']).optional(),
  label: z
    .array(text.regex(/^[^=]{1,64}=.{0,256}$/s, 'must be KEY=VALUE'))
    .max(32)
    .default([]),
})

export const list: Endpoint = async (request, context, caller) => {
  const query = new URL(request.url).searchParams
  const { label, ...rest } = parse(querySchema, {
    ...Object.fromEntries([...query].filter(([key]) => key !== 'label')),
    label: query.getAll('label'),
  })
  const labels = Object.fromEntries(
    label.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )
  const filter = label.length === 0 ? rest : { ...rest, labels }
  return json(200, await listMissions(context.missions, caller, filter))
}
