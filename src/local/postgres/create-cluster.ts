import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TerminalError } from '../../domain/errors.ts'
import { spawnGuarded } from '../processes/spawn-guarded.ts'
import { type Account, postgresCommand } from './account.ts'
import { diskFull, postgresFailure } from './failures.ts'

export const POSTGRES_MAJOR = 17

type Wish = { account: Account; dataDir: string; durable: boolean; log: (line: string) => void }

/**
 * Makes the cluster where there is none, and answers the password of user `postgres`, which lives in a file of mode 0600
 * beside the data folder. A cluster appears whole or not at all: initdb writes to a folder that is renamed at the end.
 */
export async function ensureCluster({ account, dataDir, durable, log }: Wish): Promise<string> {
  const passwordFile = join(dirname(dataDir), `${basename(dataDir)}.password`)
  const exists = await clusterExists(account.clusterDir)
  const known = (await readFile(passwordFile, 'utf8').catch(() => '')).trim()
  if (exists && !known)
    throw new TerminalError(
      'postgres_password_missing',
      `The password file ${passwordFile} of the data folder ${dataDir} is missing: put it back, or delete the data folder to begin anew.`,
    )
  if (exists) return known
  const password = known || randomBytes(24).toString('hex')
  try {
    await mkdir(dirname(dataDir), { recursive: true })
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
    await createCluster(account, password, durable, log)
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? diskFull(dataDir, cause) : cause
  }
  return password
}

async function clusterExists(clusterDir: string): Promise<boolean> {
  const version = await versionOf(clusterDir)
  if (version && version !== String(POSTGRES_MAJOR))
    throw new TerminalError(
      'postgres_other_version',
      `The data folder ${clusterDir} was made by Postgres ${version} and this is Postgres ${POSTGRES_MAJOR}: move the folder away to begin anew, or carry the data over with pg_dump of version ${version}.`,
    )
  if (version) return true
  if ((await readdir(clusterDir).catch(() => [])).length > 0)
    throw new TerminalError(
      'postgres_folder_not_empty',
      `The folder ${clusterDir} holds files that are no Postgres data: choose another data folder or empty this one.`,
    )
  return false
}

async function versionOf(clusterDir: string): Promise<string> {
  try {
    return (await readFile(join(clusterDir, 'PG_VERSION'), 'utf8')).trim()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new TerminalError(
      'postgres_data_unreadable',
      `The data folder ${clusterDir} cannot be read: start as the user who made it or choose another data folder.`,
      { cause },
    )
  }
}

async function createCluster(account: Account, password: string, durable: boolean, log: (line: string) => void) {
  const fresh = `${account.clusterDir}.new`
  const passwordCopy = `${account.clusterDir}.new-password`
  try {
    await writeFile(passwordCopy, password, { mode: 0o600 })
    if (account.user) await chown(passwordCopy, account.user.uid, account.user.gid)
    // The C library's C.UTF-8 makes full text search fold case beyond ASCII; not every machine has it.
    let output = await initdb(account, fresh, passwordCopy, 'C.UTF-8', durable)
    if (output?.some((line) => line.includes('invalid locale name'))) {
      log('this machine has no locale C.UTF-8, so Postgres uses C')
      output = await initdb(account, fresh, passwordCopy, 'C', durable)
    }
    if (output) throw postgresFailure({ doing: 'create its data folder', dataDir: account.clusterDir, output })
    await rename(fresh, account.clusterDir)
  } finally {
    await rm(passwordCopy, { force: true })
    await rm(fresh, { recursive: true, force: true })
  }
}

/** Answers what initdb said where it failed. */
async function initdb(account: Account, folder: string, passwordFile: string, ctype: string, durable: boolean) {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { mode: 0o700 })
  if (account.user) await chown(folder, account.user.uid, account.user.gid)
  const output: string[] = []
  const options = {
    username: 'postgres',
    pwfile: passwordFile,
    auth: 'scram-sha-256',
    encoding: 'UTF8',
    locale: 'C',
    'lc-ctype': ctype,
    // The builtin provider sorts alike on every machine, whatever its C library.
    'locale-provider': 'builtin',
    'builtin-locale': 'C.UTF-8',
  }
  const args = ['-D', folder, ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)]
  const program = await spawnGuarded({
    ...postgresCommand(account, account.binaries.initdb, durable ? args : [...args, '--no-sync']),
    stopSignal: 'SIGINT',
    log: (line) => output.push(line),
  })
  const { code } = await program.exited
  return code === 0 ? undefined : output
}
