import { z } from 'zod'
import { sendMessage } from '../../missions/send-message.ts'
import { words } from '../create-body.ts'
import type { Endpoint } from '../endpoints.ts'
import { json, missionId } from '../http.ts'
import { parse } from '../parse.ts'
import { readJson } from '../read-body.ts'

const bodySchema = z.strictObject({ content: words })

/** 200 with the mission once the message is recorded, as with an answer. */
export const message: Endpoint = async (request, context, caller) => {
  const { content } = parse(bodySchema, (await readJson(request)).value)
  return json(200, await sendMessage(context.missions, caller, missionId(request), content))
}
