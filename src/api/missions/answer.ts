import { z } from 'zod'
import { answerQuestion } from '../../missions/answer-question.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'
import { jsonValue, parse } from '../parse.ts'
import { readJson } from '../read-body.ts'

const bodySchema = z
  .strictObject({ questionId: z.string().min(1).max(100), answer: jsonValue.optional() })
  .refine((body) => body.answer !== undefined, { path: ['answer'], message: 'is missing' })

export const answer: Endpoint = async (request, context, caller) => {
  const { questionId, answer: given } = parse(bodySchema, (await readJson(request)).value)
  return json(200, await answerQuestion(context.missions, caller, missionId(request), { questionId, answer: given }))
}
