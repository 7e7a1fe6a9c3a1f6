import type { MissionsContext } from './context.ts'

/** Sends a permit to claim; never throws, since the sweep makes up within a minute for one that could not be sent. */
export async function wake(context: MissionsContext, missionId: string): Promise<void> {
  await context.wakes.send(missionId, 0).catch((error: unknown) => context.telemetry.wakeFailed({ missionId, error }))
}
