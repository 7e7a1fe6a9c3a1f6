import { DatabaseError, type Client } from 'pg'
import { z } from 'zod'

/** No such function, or none for this login. */
const UNKNOWN = new Set(['42883', '42501'])

/** Names of columns differ between what is documented and what servers answer, in case and in `rolname` or `rolename`. */
const principalSchema = z
  .record(z.string(), z.unknown())
  .transform((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key.toLowerCase(), value])))
  .pipe(z.object({ rolname: z.string().optional(), rolename: z.string().optional(), objectid: z.string() }))
  .transform(({ rolname, rolename, objectid }) => ({ name: rolname ?? rolename, objectId: objectid.toLowerCase() }))

/**
 * The object id at Entra ID of what a login stands for: null where it is nobody's, undefined where the server does not tell,
 * as one that is none of Azure. By a connection to the database that has Azure's functions.
 */
export async function objectIdOf(client: Client, login: string): Promise<string | null | undefined> {
  try {
    // Administrators are a list of their own on some servers.
    for (const administrators of [false, true]) {
      const { rows } = await client.query('select * from pgaadauth_list_principals($1)', [administrators])
      const found = rows.map((row) => principalSchema.parse(row)).find(({ name }) => name === login)
      if (found !== undefined) return found.objectId
    }
    return null
  } catch (error) {
    if (error instanceof DatabaseError && UNKNOWN.has(error.code ?? '')) return undefined
    throw error
  }
}
