import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { revisionLabel } from '../../db/migrate/read-migrations.ts'
import { TerminalError } from '../../domain/errors.ts'

/** What pg_dump writes of a schema, and the lines of the catalogue that it makes. */
export interface Sections {
  revision: number
  pre: string
  post: string
  fingerprint: string[]
}

/** The folder of the committed files: beside this one in the sources, beside the bundle in a build. */
export function sectionsDir(): string {
  const built = join(import.meta.dirname, 'backup-schema')
  return existsSync(built) ? built : join(import.meta.dirname, '..', 'schema')
}

export function sectionFiles(revision: number, dir: string): { pre: string; post: string; fingerprint: string } {
  const file = (ending: string) => join(dir, `${revisionLabel(revision)}.${ending}`)
  return { pre: file('pre.sql'), post: file('post.sql'), fingerprint: file('fingerprint.txt') }
}

/**
 * The sections of a revision, or of the newest one before it: of a newer schema than the code knows the rows are taken all the
 * same, and the difference is drift. Throws TerminalError `backup_no_sections` where the folder has none.
 */
export async function readSections(revision: number, dir = sectionsDir()): Promise<Sections> {
  const names = await readdir(dir).catch(() => [])
  const known = names.flatMap((name) => {
    const [, digits] = /^(\d{4})\.pre\.sql$/.exec(name) ?? []
    return digits === undefined || Number(digits) > revision ? [] : [Number(digits)]
  })
  if (known.length === 0) throw noSections(revision, dir)
  const newest = Math.max(...known)
  const { pre, post, fingerprint } = sectionFiles(newest, dir)
  const lines = (await readText(fingerprint)).split('\n').filter((line) => line !== '')
  return { revision: newest, pre: await readText(pre), post: await readText(post), fingerprint: lines }
}

/** Git on Windows may check text out with CRLF. */
async function readText(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).replaceAll('\r\n', '\n')
}

function noSections(revision: number, dir: string): TerminalError {
  return new TerminalError(
    'backup_no_sections',
    `There is no text of the schema of revision ${revisionLabel(revision)} or an earlier one in ${dir}, so a backup could not be restored.`,
    { hint: 'Run "npm run backup -- sections" and commit what it writes; in a deployment, deploy a whole build.' },
  )
}
