import type pg from 'pg'

/** The newest migration this code knows, and the oldest schema it works with. */
export const CODE_REVISION = 3

export interface SchemaRevision {
  /** The newest migration in the database; 0 where all were taken back. */
  revision: number
  /** The oldest code revision that works with the schema. */
  minCode: number
}

export type SchemaFit = 'ok' | 'schema-too-old' | 'code-too-old'

type Queryable = Pick<pg.ClientBase, 'query'>

/**
 * Whether code of `codeRevision` may run on a schema. A schema ahead of the code is fine as long as its `minCode` says so:
 * it is expanded before the code comes, and the code may be rolled back after.
 */
export function schemaFits({ revision, minCode }: SchemaRevision, codeRevision: number): SchemaFit {
  if (codeRevision < minCode) return 'code-too-old'
  return revision < codeRevision ? 'schema-too-old' : 'ok'
}

/** Answers undefined where the database has no schema of Taskforce's; throws what `pg` throws for anything else. */
export async function readSchemaRevision(queryable: Queryable): Promise<SchemaRevision | undefined> {
  try {
    const { rows } = await queryable.query<SchemaRevision>(
      `select coalesce(max(revision), 0) as revision, coalesce(max(min_code), 0) as "minCode" from taskforce.migrations`,
    )
    return rows[0]
  } catch (error) {
    if (isMissingSchema(error)) return undefined
    throw error
  }
}

/** SQLSTATE of a missing schema and of a missing table. */
function isMissingSchema(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '3F000' || error.code === '42P01')
}
