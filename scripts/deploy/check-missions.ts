import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TerminalError } from '../../src/domain/errors.ts'
import { main as checkDeploy } from '../check-deploy/main.ts'
import { readZipEntry } from './package/unzip.ts'
import type { DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import { bringPackage } from './stored-package.ts'
import type { Target } from './target.ts'

const FILE = 'check-deploy.cjs'

/**
 * Whether every unfinished mission goes on with the new code as with the package that runs. Needs a login of Postgres that may read
 * missions, so it is left out, and that is said, where none is named. Throws TerminalError `check_failed`.
 */
export async function checkMissions(session: Session, target: Target, running: DeploymentRecord): Promise<void> {
  const { options, log, terminal, cwd } = session
  const { databaseUser } = options
  if (databaseUser === undefined) {
    log.say('  check-deploy is left out: name a login of Postgres with --database-user, or run it by hand')
    return
  }
  const old = readZipEntry(await readFile(await bringPackage(session, target, running)), `dist/${FILE}`)
  const folder = join(session.packages, running.package.sha256)
  await mkdir(folder, { recursive: true })
  if (old !== undefined) await writeFile(join(folder, FILE), old)
  const { postgresHost, postgresDatabase } = target
  const url = `postgresql://${encodeURIComponent(databaseUser)}@${postgresHost}:5432/${postgresDatabase}?sslmode=verify-full`
  const env = { ...session.env, DATABASE_URL: url, DATABASE_AUTH: 'entra' }
  const words = old === undefined ? [] : ['--from', folder]
  // Lines of this command's own, so that they are in its log, and standard output stays one JSON value with --json.
  const lines = { ...terminal, print: (some: readonly string[]) => some.forEach(log.say) }
  if ((await checkDeploy(words, { env, cwd, terminal: lines })) === 0) return
  throw new TerminalError('check_failed', 'The check of unfinished missions did not pass; what it says is above.', {
    hint: 'Change the code so that they go on as before, or let them end first. Without --database-user they are not checked.',
  })
}
