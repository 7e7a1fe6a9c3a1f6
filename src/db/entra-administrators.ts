import { DatabaseError, type Client } from 'pg'
import { hasMembershipOptions, SCHEMA_ROLES } from './roles.ts'

/** Every administrator of an Azure server is a member of this. */
const ADMINISTRATORS = 'azure_pg_admin'

/**
 * Lets every administrator of an Azure server grant the schema's roles, without having their rights. From 16 on only whoever made a role
 * may grant it, and that identity may be gone: with its region, or in a server that Azure restored into another group. Where this
 * login may not say so it says nothing: then another did, or has to be asked.
 */
export async function shareWithAdministrators(client: Client): Promise<void> {
  if (!(await hasMembershipOptions(client))) return
  const { rows } = await client.query<{ role: string }>(
    `select r.rolname as role from pg_catalog.pg_roles r, pg_catalog.pg_roles a
     where r.rolname = any($1) and a.rolname = $2 and not exists (
       select from pg_catalog.pg_auth_members m where m.roleid = r.oid and m.member = a.oid and m.admin_option)`,
    [SCHEMA_ROLES, ADMINISTRATORS],
  )
  for (const { role } of rows) {
    await client
      .query(`grant ${role} to ${ADMINISTRATORS} with admin true, inherit false, set false`)
      .catch((error: unknown) => {
        if (!(error instanceof DatabaseError && error.code === '42501')) throw error
      })
  }
}
