import type { ProfileFile } from '../../../src/config/profile-file.ts'
import { PLAN_TOOLS } from '../agent.ts'

/** What missions of the plans are pinned to. */
export const PLAN_PROFILE: ProfileFile = {
  description: 'Follows a plan',
  model: {},
  instructions: 'Do what the plan says.',
  tools: PLAN_TOOLS,
  limits: { steps: 1_000, tokens: 10_000_000, costUsd: '100', wallHours: 24 },
  prices: { scripted: { inputUsd: '1', outputUsd: '2' } },
  egress: { allow: [], post: [] },
}
