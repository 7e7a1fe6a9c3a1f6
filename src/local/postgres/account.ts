import { execFile } from 'node:child_process'
import { readFile, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { TerminalError } from '../../domain/errors.ts'
import type { Binaries } from './binaries.ts'
import { copyBinaries, makeHome, movedHome, type User } from './moved-home.ts'

const run = promisify(execFile)

/** How to run Postgres programs as somebody it accepts: it refuses user id 0. */
export type Account = {
  binaries: Binaries
  /** Where the cluster really is. */
  clusterDir: string
  /** Words before the program's own command line. */
  prefix: string[]
  user?: User
}

type Wish = { binaries: Binaries; dataDir: string; log: (line: string) => void; userNamespaces?: boolean }

/** Any id but 0 serves: outside the namespace the files stay root's, inside they belong to this one. */
const NAMESPACE = ['unshare', '--user', '--map-user=1000', '--map-group=1000', '--']

/**
 * Decides how Postgres runs here: plainly; for root in a user namespace, where every folder of root's works; and where
 * the system forbids those (Docker's default profile), as a system user with a line in the log, on data that belongs to
 * that user. Where that user cannot reach `dataDir`, it becomes a link to a folder under /var/tmp.
 */
export async function chooseAccount({ binaries, dataDir, log, userNamespaces = true }: Wish): Promise<Account> {
  const plain = { binaries, clusterDir: dataDir, prefix: [] }
  if (process.getuid?.() !== 0) return plain
  const owner = await ownerOfData(dataDir)
  if (userNamespaces && !owner?.uid && (await namespaceWorks(binaries, dirname(dataDir))))
    return { ...plain, prefix: NAMESPACE }
  if (owner?.uid === 0)
    throw refusal(`the data in ${dataDir} is open to root only: move that folder away to begin anew`)
  const user = owner ?? (await systemUser())
  const moved = await movedHome(dataDir, user)
  const inPlace = !moved && (await answers('test', ['-x', dirname(dataDir)], user))
  const home = moved ?? (inPlace ? undefined : await makeHome(dataDir, user))
  const readable = (await answers(binaries.postgres, ['--version'], user))
    ? binaries
    : await copyBinaries(binaries, dataDir, user)
  if (!(await answers(readable.postgres, ['--version'], user)))
    throw refusal(
      'no other user id is allowed here: start as an ordinary user, or set DATABASE_URL to your own Postgres',
    )
  const clusterDir = home ? join(home, 'data') : dataDir
  log(`Postgres does not run as root, so it runs as user id ${user.uid} with its data in ${clusterDir}`)
  return { binaries: readable, clusterDir, prefix: [], user }
}

/** Undefined where there is no data yet. */
async function ownerOfData(dataDir: string): Promise<User | undefined> {
  const present = await readdir(dataDir).catch(() => [])
  if (present.length === 0) return undefined
  const { uid, gid } = await stat(dataDir)
  return { uid, gid }
}

async function namespaceWorks(binaries: Binaries, folder: string): Promise<boolean> {
  const [command = '', ...args] = NAMESPACE
  return (
    (await answers(command, [...args, binaries.postgres, '--version'])) &&
    (await answers(command, [...args, 'test', '-w', folder, '-a', '-x', folder]))
  )
}

function answers(command: string, args: string[], user: { uid?: number; gid?: number } = {}): Promise<boolean> {
  return run(command, args, { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  )
}

async function systemUser(): Promise<User> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'))
  const entry = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody')
  return { uid: Number(entry?.[2] ?? 65534), gid: Number(entry?.[3] ?? 65534) }
}

function refusal(why: string): TerminalError {
  return new TerminalError('postgres_root_refused', `Postgres does not run as root, and ${why}.`)
}

/** The command line, user and environment of a Postgres program; its messages are English whatever the machine's locale. */
export function postgresCommand({ binaries, prefix, user }: Account, program: string, args: string[]) {
  const [command = program, ...rest] = [...prefix, program, ...args]
  const { PATH, HOME, SystemRoot } = process.env
  const env = { PATH, HOME, SystemRoot, LC_ALL: 'C', TZ: 'UTC' }
  return { command, args: rest, ...user, cwd: binaries.nativeDir, env }
}
