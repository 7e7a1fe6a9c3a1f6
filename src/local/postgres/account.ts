import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chown, cp, lstat, mkdir, readFile, readdir, readlink, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { TerminalError } from '../../domain/errors.ts'
import { type Binaries, binariesIn } from './binaries.ts'

const run = promisify(execFile)

type User = { uid: number; gid: number }

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

const HOMES = '/var/tmp/taskforce-'

/**
 * Decides how Postgres runs here: plainly; for root in a user namespace, where every folder of root's works; and where
 * the system forbids those (Docker's default profile), as a system user with the data under /var/tmp, a link to it at
 * `dataDir` and a line in the log.
 */
export async function chooseAccount({ binaries, dataDir, log, userNamespaces = true }: Wish): Promise<Account> {
  const plain = { binaries, clusterDir: dataDir, prefix: [] }
  if (process.getuid?.() !== 0) return plain
  const moved = await movedHome(dataDir)
  if (userNamespaces && !moved && (await namespaceWorks(binaries, dirname(dataDir))))
    return { ...plain, prefix: NAMESPACE }
  const users = await systemUsers()
  const { home, user } = (moved && (await ownedHome(moved, users))) || (await newHome(dataDir, users))
  const readable = (await answers(binaries.postgres, ['--version'], user))
    ? binaries
    : await copyBinaries(binaries, home, user)
  log(`Postgres does not run as root, so it runs as user id ${user.uid} with its data in ${home}`)
  return { binaries: readable, clusterDir: join(home, 'data'), prefix: [], user }
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

async function systemUsers(): Promise<User[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'))
  const entries = ['postgres', 'nobody'].map((name) => lines.find(([entry]) => entry === name))
  return entries.flatMap((entry) => (entry ? [{ uid: Number(entry[2]), gid: Number(entry[3]) }] : []))
}

/** Where an earlier start put the data, which left a link at `dataDir`. */
async function movedHome(dataDir: string): Promise<string | undefined> {
  const target = await readlink(dataDir).catch(() => '')
  return target.startsWith(HOMES) ? dirname(target) : undefined
}

/** Anyone may make folders in /var/tmp: only one of our users' is taken for ours. */
async function ownedHome(home: string, users: User[]) {
  const owner = await lstat(home).catch(() => undefined)
  const user = users.find(({ uid }) => owner?.isDirectory() && uid === owner.uid)
  return user && { home, user }
}

/** A home that `dataDir` had before and links to no more was given up by its owner, so what it holds goes. */
async function newHome(dataDir: string, [user = { uid: 65534, gid: 65534 }]: User[]) {
  const isLink = (await readlink(dataDir).catch(() => '')) !== ''
  const present = isLink ? [] : await readdir(dataDir).catch(() => [])
  if (present.length > 0)
    throw new TerminalError(
      'postgres_root_refused',
      `Postgres does not run as root and the data in ${dataDir} is not open to another user: start as the user who made it.`,
    )
  const home = HOMES + createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
  await rm(home, { recursive: true, force: true })
  await mkdir(home, { mode: 0o700 })
  await chown(home, user.uid, user.gid)
  await rm(dataDir, { recursive: true, force: true })
  await symlink(join(home, 'data'), dataDir)
  return { home, user }
}

async function copyBinaries(binaries: Binaries, home: string, user: User): Promise<Binaries> {
  const copy = join(home, 'native')
  const there = await lstat(copy).catch(() => undefined)
  if (!there) await cp(binaries.nativeDir, copy, { recursive: true, verbatimSymlinks: true })
  const copied = binariesIn(copy)
  if (await answers(copied.postgres, ['--version'], user)) return copied
  throw new TerminalError(
    'postgres_root_refused',
    `Postgres does not run as root and no other user id is allowed here: start as an ordinary user, or set DATABASE_URL to a Postgres of your own.`,
  )
}

/** The command line, user and environment of a Postgres program; its messages are English whatever the machine's locale. */
export function postgresCommand({ binaries, prefix, user }: Account, program: string, args: string[]) {
  const [command = program, ...rest] = [...prefix, program, ...args]
  const { PATH, HOME, SystemRoot } = process.env
  return {
    command,
    args: rest,
    ...user,
    cwd: binaries.nativeDir,
    env: { PATH, HOME, SystemRoot, LC_ALL: 'C', TZ: 'UTC' },
  }
}
