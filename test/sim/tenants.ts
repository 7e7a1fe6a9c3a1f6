import { DEFAULT_TENANT } from '../../src/missions/context.ts'

/** An ordinary one, one with twice the share, and one that may have a single mission on the move. */
export const SIM_TENANTS = [
  { id: DEFAULT_TENANT, weight: 1 },
  { id: '00000000-0000-7000-8000-000000000002', weight: 2 },
  { id: '00000000-0000-7000-8000-000000000003', weight: 1, maxRunning: 1 },
]

export const TENANT_IDS = SIM_TENANTS.map(({ id }) => id)
