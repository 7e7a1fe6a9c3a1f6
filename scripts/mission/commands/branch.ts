import type { Context } from '../context.ts'
import { startMission, type NewMissionOptions } from '../new-mission.ts'

export interface BranchOptions extends NewMissionOptions {
  limit: [string, number | string][]
  seq?: number
}

/** Makes a mission that goes on from another one, and follows it as `submit` does. */
export function branch(
  context: Context,
  how: 'retry' | 'continue' | 'fork',
  id: string,
  content: string | undefined,
  options: BranchOptions,
): Promise<number> {
  const limits = options.limit.length > 0 ? Object.fromEntries(options.limit) : undefined
  return startMission(context, options, `missions/${id}/${how}`, JSON.stringify({ content, seq: options.seq, limits }))
}
