import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TerminalError } from '../../src/domain/errors.ts'
import { main as checkDeploy } from '../check-deploy/main.ts'
import { placeFile } from './package/place-file.ts'
import { readZipEntry } from './package/unzip.ts'
import type { DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import { bringPackage } from './stored-package.ts'
import type { Target } from './target.ts'

const FILE = 'check-deploy.cjs'

/**
 * Whether every unfinished mission goes on with the new code as with the package that runs. Needs a login of Postgres that may read
 * missions: the one that is named, else that of who is signed in, which may be none; then that is said.
 * Throws TerminalError `check_failed`, and `check_impossible` where the login was named.
 */
export async function checkMissions(
  session: Session,
  target: Target,
  { running, who }: { running: DeploymentRecord; who: string },
): Promise<void> {
  const { options, log } = session
  if (options.skipCheck === true) return
  const login = options.databaseUser ?? who
  const { code, isReport, said } = await compare(session, target, { running, login })
  if (code === 0) return
  if (!isReport) {
    if (options.databaseUser !== undefined) throw impossible(login, said)
    return log.say(
      `  what both packages would do with unfinished missions was not compared: as ${login}, ${said} Another login: --database-user`,
    )
  }
  if (said !== '') log.say(`  ${said}`)
  throw new TerminalError('check_failed', 'The check of unfinished missions did not pass; what it says is above.', {
    hint: 'Change the code so that they go on as before, or let them end first. With --skip-check they are not looked at.',
  })
}

function impossible(login: string, said: string): TerminalError {
  return new TerminalError('check_impossible', `Unfinished missions could not be looked at as ${login}: ${said}`, {
    hint: 'Correct that, or leave --database-user out. With --skip-check they are not looked at.',
  })
}

async function compare(
  session: Session,
  target: Target,
  { running, login }: { running: DeploymentRecord; login: string },
): Promise<Comparison> {
  try {
    const words = await oldBuildWords(session, target, running)
    return await runCheck(session, words, databaseUrl(target, login))
  } catch (error) {
    if (!(error instanceof TerminalError) || error.code === 'interrupted') throw error
    return { code: 1, isReport: false, said: error.message }
  }
}

/** For check-deploy: the folder with the old package's side of it, where that has one. */
async function oldBuildWords(session: Session, target: Target, running: DeploymentRecord): Promise<string[]> {
  const old = readZipEntry(await readFile(await bringPackage(session, target, running)), `dist/${FILE}`)
  if (old === undefined) return []
  const folder = join(session.packages, running.package.sha256)
  await placeFile(join(folder, FILE), (temporary) => writeFile(temporary, old))
  return ['--from', folder]
}

function databaseUrl({ postgresHost, postgresDatabase }: Target, login: string): string {
  return `postgresql://${encodeURIComponent(login)}@${postgresHost}:5432/${postgresDatabase}?sslmode=verify-full`
}

interface Comparison {
  code: number
  /** Missions were read, and the code is about them. */
  isReport: boolean
  /** Why not, as one line. */
  said: string
}

async function runCheck({ log, terminal, cwd, env }: Session, words: string[], url: string): Promise<Comparison> {
  let isReport = false
  const errors: string[] = []
  const lines = {
    ...terminal,
    // In this command's own log; and standard output stays one JSON value with --json.
    print: (some: readonly string[]) => {
      isReport = true
      some.forEach(log.say)
    },
    error: (text: string) => void errors.push(text),
  }
  const own = { ...env, DATABASE_URL: url, DATABASE_AUTH: 'entra' }
  const code = await checkDeploy(words, { env: own, cwd, terminal: lines })
  return { code, isReport, said: errors.join(' ') }
}
