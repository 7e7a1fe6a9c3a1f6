import type { ProfileFile } from '../../src/config/profile-file.ts'
import { PLAN_TOOLS } from '../proof/agent.ts'

/** One for each way of dealing with a call whose outcome nobody knows. */
export const PROFILES: ReadonlyMap<string, ProfileFile> = new Map(
  (['model', 'person', 'end'] as const).map((unknownOutcomes) => [
    unknownOutcomes,
    {
      description: 'Simulated',
      model: {},
      instructions: 'Do what the plan says.',
      tools: PLAN_TOOLS,
      limits: { steps: 60, tokens: 1_000_000, costUsd: '10', wallHours: 24 },
      prices: { scripted: { inputUsd: '1', outputUsd: '2' } },
      egress: { allow: [], post: [] },
      unknownOutcomes,
    },
  ]),
)
