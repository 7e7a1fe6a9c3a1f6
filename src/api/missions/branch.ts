import { z } from 'zod'
import type { BranchRequest } from '../../missions/branch-point.ts'
import { branchMission, type BranchSettings } from '../../missions/branch-mission.ts'
import { settings, words } from '../create-body.ts'
import type { Endpoint } from '../endpoints.ts'
import { missionId } from '../http.ts'
import { accepted, idempotencyOf } from '../new-mission.ts'
import { parse } from '../parse.ts'
import { readJson } from '../read-body.ts'

type Branch = BranchRequest & BranchSettings

/** A failed or cancelled mission once more, from where it ended. Needs no body. */
export const retry: Endpoint = branching('retry', z.strictObject(settings))

/** An ended mission, with something new to do. */
export const goOn: Endpoint = branching('continue', z.strictObject({ ...settings, content: words }))

/** A second mission beside any other, from one of its events on. Needs no body. */
export const fork: Endpoint = branching(
  'fork',
  z.strictObject({ ...settings, content: words.optional(), seq: z.int().min(1).max(2_147_483_647).optional() }),
)

function branching<H extends Branch['how']>(
  how: H,
  schema: z.ZodType<Omit<Extract<Branch, { how: H }>, 'how'>>,
): Endpoint {
  return async (request, context, caller) => {
    const id = missionId(request)
    const body = await readJson(request, { whenEmpty: {} })
    const given = { how, ...parse(schema, body.value) } as Extract<Branch, { how: H }>
    // The same body means another mission with another route or another id.
    const idempotency = idempotencyOf(request, `${how} ${id}\n${body.text}`)
    return accepted(await branchMission(context.missions, caller, id, { ...given, idempotency }))
  }
}
