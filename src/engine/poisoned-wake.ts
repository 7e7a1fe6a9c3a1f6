import type { EngineDb } from '../db/connection.ts'
import { readStanding, type Standing } from '../db/queries/mission-standing.ts'
import type { Telemetry } from '../telemetry/events.ts'
import type { Wakes } from './ports.ts'
import { wakeSchema } from './queue-wakes.ts'

/** Long enough for what failed five times to have passed, and for a dead owner's lease to be over. */
const AGAIN_IN_SECONDS = 60

/**
 * Says which mission a wake was for that failed five times, how it stands and what happens next, and sends a fresh wake for one
 * that has not ended and that no living instance owns: it should not depend on the sweep alone. Never throws, since a message
 * that fails here too would end in the poison queue's own poison queue, where nobody looks.
 */
export async function takeUpPoisoned(
  context: { db: EngineDb; wakes: Wakes; telemetry: Telemetry },
  message: unknown,
): Promise<void> {
  const { db, wakes, telemetry } = context
  const parsed = wakeSchema.safeParse(message)
  if (!parsed.success) return telemetry.poisoned({ next: 'nothing: it is no wake', message: JSON.stringify(message) })
  const { missionId } = parsed.data
  let standing: Standing | undefined | 'unread'
  try {
    standing = await readStanding(db, missionId)
  } catch (error) {
    standing = 'unread'
    if (error instanceof Error) telemetry.databaseError(error)
  }
  const { wake, next } = whatNext(standing)
  const { status, crashes } = standing === 'unread' || standing === undefined ? {} : standing
  telemetry.poisoned({ missionId, status, crashes, next })
  if (!wake) return
  await wakes.send(missionId, AGAIN_IN_SECONDS).catch((error: unknown) => telemetry.wakeFailed({ missionId, error }))
}

function whatNext(standing: Standing | undefined | 'unread'): { wake: boolean; next: string } {
  const again = `a fresh wake in ${AGAIN_IN_SECONDS} s`
  if (standing === 'unread') return { wake: true, next: `${again}, as the mission could not be read` }
  if (standing === undefined) return { wake: false, next: 'nothing: there is no such mission' }
  if (standing.ended) return { wake: false, next: 'nothing: the mission has ended' }
  if (standing.owned) return { wake: false, next: 'the instance that owns it goes on, or gives it up' }
  return { wake: true, next: again }
}
