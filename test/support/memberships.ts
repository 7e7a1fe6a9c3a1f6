import type { ClientBase } from 'pg'

export interface Membership {
  role: string
  /** Has the role's rights at all times. */
  usage: boolean
  /** May take the role up. */
  member: boolean
}

/** Of a login that the functions connect as: the engine's rights, the others' where it takes them up, and never the owner's. */
export const APP_MEMBERSHIPS: readonly Membership[] = [
  { role: 'engine', usage: true, member: true },
  { role: 'api', usage: false, member: true },
  { role: 'backup', usage: false, member: true },
  { role: 'retention', usage: false, member: true },
  { role: 'owner', usage: false, member: false },
]

/** Of the login that is connected. */
export async function membershipsOf(client: ClientBase): Promise<Membership[]> {
  const { rows } = await client.query<Membership>(
    `select role, pg_has_role('taskforce_' || role, 'usage') as usage, pg_has_role('taskforce_' || role, 'member') as member
     from unnest($1::text[]) as role`,
    [APP_MEMBERSHIPS.map(({ role }) => role)],
  )
  return rows
}
