import { z } from 'zod'
import { sendMessage } from '../../missions/send-message.ts'
import { words } from '../create-body.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'
import { idempotencyOf } from '../new-mission.ts'
import { parse } from '../parse.ts'
import { readJson } from '../read-body.ts'

const bodySchema = z.strictObject({ content: words })

/** 200 with the mission once the message is recorded, as with an answer. */
export const message: Endpoint = async (request, context, caller) => {
  const body = await readJson(request)
  const { content } = parse(bodySchema, body.value)
  const id = missionId(request)
  const idempotency = idempotencyOf(request, `messages ${id} ${body.text}`)
  const { mission, replayed } = await sendMessage(context.missions, caller, id, content, idempotency)
  return json(200, mission, replayed ? { 'idempotent-replayed': 'true' } : {})
}
