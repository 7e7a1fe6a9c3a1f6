import { z } from 'zod'
import { answerQuestion } from '../../missions/answer-question.ts'
import { Refusal } from '../../missions/refusal.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'
import { jsonValue, parse } from '../parse.ts'
import { readJson } from '../read-body.ts'

const bodySchema = z
  .strictObject({ questionId: z.string().min(1).max(100), answer: jsonValue.optional() })
  .refine((body) => body.answer !== undefined, { path: ['answer'], message: 'is missing' })

/** The model reads the answer, and every view of the mission may repeat it; long texts belong into files. */
const ANSWER_BYTES = 64 * 1024

export const answer: Endpoint = async (request, context, caller) => {
  const { questionId, answer: given } = parse(bodySchema, (await readJson(request)).value)
  if (Buffer.byteLength(JSON.stringify(given)) > ANSWER_BYTES) {
    const detail = `must have at most ${ANSWER_BYTES} bytes as JSON`
    throw new Refusal('too_large', 'The answer is larger than 64 KiB.', [{ pointer: '/answer', detail }])
  }
  return json(200, await answerQuestion(context.missions, caller, missionId(request), { questionId, answer: given }))
}
