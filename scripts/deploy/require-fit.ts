import { TerminalError } from '../../src/domain/errors.ts'
import { schemaFits, type SchemaRevision } from '../../src/db/schema-revision.ts'

/** What both a new package and the record of an old one say of its code. */
interface Code {
  version: string
  codeRevision: number
}

/** Refuses to go back to a package whose code can't run on the schema. @throws TerminalError `package_does_not_fit` */
export function requireFit(code: Code, schema: SchemaRevision): void {
  requireNewEnough(code, schema)
  if (schemaFits(schema, code.codeRevision) === 'ok') return
  throw doesNotFit(code, `the schema is at revision ${schema.revision}, which is older than that code needs`, {
    hint: 'Deploy it (npm run deploy) in place of going back to it, which brings the schema along.',
  })
}

/** Refuses a package that is too old for the schema; one that is too new migrates it. @throws TerminalError `package_does_not_fit` */
export function requireNewEnough(code: Code, schema: SchemaRevision): void {
  if (schemaFits(schema, code.codeRevision) !== 'code-too-old') return
  const { revision, minCode } = schema
  throw doesNotFit(code, `the schema is at revision ${revision} and works with code of revision ${minCode} and newer`, {
    hint: 'Go forward with a corrected version (npm run deploy), or take the migration back first as docs/runbooks/migration.md says.',
  })
}

function doesNotFit({ version, codeRevision }: Code, why: string, how: { hint: string }): TerminalError {
  return new TerminalError('package_does_not_fit', `${version} (code revision ${codeRevision}) can't run: ${why}.`, how)
}
