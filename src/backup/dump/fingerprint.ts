import type { ClientBase } from 'pg'
import { catalogLine, readCatalogHere } from '../../db/migrate/catalog.ts'
import { OBJECT_LINES, RIGHT_LINES } from './fingerprint-objects.ts'
import { RELATION_LINES } from './fingerprint-relations.ts'

/**
 * All that pg_dump would write about the schema, as sorted lines: the catalogue of `npm run migrate -- check`, and what that
 * one leaves out (every grantee, owners, comments, default privileges, storage, collations, replica identity, types and so on).
 * The same on Postgres 15 to 18. Runs in the open transaction, whose `search_path` has to be empty.
 */
export async function readFingerprint(client: ClientBase): Promise<string[]> {
  const lines = new Set(await readCatalogHere(client))
  for (const query of [RELATION_LINES, OBJECT_LINES, RIGHT_LINES]) {
    const { rows } = await client.query<{ line: string }>(query)
    for (const { line } of rows) lines.add(catalogLine(line))
  }
  return [...lines].sort()
}
