import type { Engine } from '../engine/engine.ts'
import { endsJournal } from '../domain/event.ts'
import { untilAborted } from '../models/deadlines.ts'
import type { Created } from './accept-mission.ts'
import type { Caller, MissionsContext } from './context.ts'
import { createMission, type NewMissionRequest } from './create-mission.ts'
import { readMission } from './read-mission.ts'
import type { MissionView } from './view.ts'
import type { Watchers } from './watchers.ts'

export interface WaitingContext extends MissionsContext {
  watchers: Watchers
  engine: Pick<Engine, 'reserve'>
}

/**
 * Creates a mission and waits until it ends, or needs a person, for `waitMs` at most. Where this instance has room, it runs
 * the mission itself from the same commit on, so that its first step waits for no queue; what is not done by then is handed
 * over. Otherwise the mission goes the usual way, and is only watched. Gives the mission as it is then.
 * @throws Refusal like createMission, and nothing more once the mission is there: whoever is refused sends the request again.
 */
export async function createAndWait(
  context: WaitingContext,
  caller: Caller,
  request: NewMissionRequest,
  waitMs: number,
): Promise<Created> {
  const begun = performance.now()
  const timeIsUp = AbortSignal.timeout(waitMs)
  const place = await context.engine.reserve()
  let created: Created
  try {
    created = await createMission(context, caller, request, place?.instance)
  } catch (error) {
    place?.giveBack()
    throw error
  }
  if (place !== undefined && created.claim !== undefined) {
    // Goes on to the end of its step when the client waits no longer; what fails is found like any other dead slice.
    const left = Math.max(0, waitMs - (performance.now() - begun))
    const slice = place.run(created.claim, left).catch((error: unknown) => context.telemetry.sliceFailed(error))
    await untilAborted(slice, timeIsUp).catch(() => undefined)
  } else {
    place?.giveBack()
  }
  const mission = await atRest(context, caller, created.mission, timeIsUp).catch((error: unknown) => {
    context.telemetry.sliceFailed(error)
    return created.mission
  })
  return { ...created, mission }
}

async function atRest(
  context: WaitingContext,
  caller: Caller,
  { id }: MissionView,
  timeIsUp: AbortSignal,
): Promise<MissionView> {
  const mission = await readMission(context, caller, id)
  if (!isUnderWay(mission) || timeIsUp.aborted) return mission
  await nextRest(context.watchers, caller, mission, timeIsUp)
  return readMission(context, caller, id)
}

function isUnderWay({ endedAt, questions = [], status }: MissionView): boolean {
  return endedAt === undefined && questions.length === 0 && status !== 'paused'
}

/** Resolves when the mission has ended or asks somebody, when it can't be watched any more, and when the time is up. */
async function nextRest(
  watchers: Watchers,
  { tenantId }: Caller,
  { id, lastSeq }: MissionView,
  timeIsUp: AbortSignal,
): Promise<void> {
  const rests = Promise.withResolvers<void>()
  timeIsUp.addEventListener('abort', () => rests.resolve(), { once: true })
  const unwatch = watchers.watch({
    missionId: id,
    tenantId,
    afterSeq: lastSeq,
    hasRoom: () => true,
    deliver: (rows) => {
      if (rows.some(({ type }) => endsJournal(type) || type === 'question.asked')) rests.resolve()
      return rows.length
    },
    fail: () => rests.resolve(),
  })
  await rests.promise
  unwatch()
}
