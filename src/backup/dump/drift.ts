import type { ClientBase } from 'pg'
import { differences } from '../../db/migrate/check.ts'
import { revisionLabel } from '../../db/migrate/read-migrations.ts'
import { readFingerprint } from './fingerprint.ts'
import { readSections } from './sections.ts'

/**
 * How the live schema differs from what the sections of its revision make: `- …` is lacking, `+ …` is nowhere in them. Empty:
 * not at all. Runs in the open transaction, whose `search_path` has to be empty.
 */
export async function driftOf(client: ClientBase, revision: number, dir?: string): Promise<string[]> {
  const sections = await readSections(revision, dir)
  return [
    ...(sections.revision === revision
      ? []
      : [`+ revision ${revisionLabel(revision)}: this code has no sections of it`]),
    ...differences(sections.fingerprint, await readFingerprint(client)),
  ]
}
