import type { ProfileFile } from '../../src/config/profile-file.ts'
import { PLAN_PROFILE } from '../proof/worker/profile.ts'

const LIMITS = { steps: 60, tokens: 1_000_000, costUsd: '10', wallHours: 24 }

/** One for each way of dealing with a call whose outcome nobody knows. */
export const PROFILES: ReadonlyMap<string, ProfileFile> = new Map(
  (['model', 'person', 'end'] as const).map((unknownOutcomes) => [
    unknownOutcomes,
    { ...PLAN_PROFILE, limits: LIMITS, unknownOutcomes },
  ]),
)
