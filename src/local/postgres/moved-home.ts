import { createHash } from 'node:crypto'
import { chown, cp, lstat, mkdir, readlink, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TerminalError } from '../../domain/errors.ts'
import { type Binaries, binariesIn } from './binaries.ts'

const HOMES = '/var/tmp/taskforce-'

export type User = { uid: number; gid: number }

/** Where an earlier start put the data, which left a link at `dataDir`; undefined where that is gone. */
export async function movedHome(dataDir: string, user: User): Promise<string | undefined> {
  const target = await readlink(dataDir).catch(() => '')
  if (!target.startsWith(HOMES)) return undefined
  return (await isOwned(dirname(target), user)) ? dirname(target) : undefined
}

/** A home to which `dataDir` links no more was given up by its owner, so what it holds goes. */
export async function makeHome(dataDir: string, user: User): Promise<string> {
  const home = homeOf(dataDir)
  await rm(home, { recursive: true, force: true })
  await makeOwned(home, user)
  await rm(dataDir, { recursive: true, force: true })
  await symlink(join(home, 'data'), dataDir)
  return home
}

/** For a user that cannot read the folder in which the npm packages are. */
export async function copyBinaries(binaries: Binaries, dataDir: string, user: User): Promise<Binaries> {
  const home = homeOf(dataDir)
  if (!(await isOwned(home, user))) await makeOwned(home, user)
  const copy = join(home, 'native')
  await rm(copy, { recursive: true, force: true })
  await cp(binaries.nativeDir, copy, { recursive: true, verbatimSymlinks: true })
  return binariesIn(copy)
}

function homeOf(dataDir: string): string {
  return HOMES + createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
}

async function makeOwned(folder: string, { uid, gid }: User) {
  await mkdir(folder, { mode: 0o700 })
  await chown(folder, uid, gid)
}

/** Anyone may make folders in /var/tmp: one of another user's is not ours. */
async function isOwned(folder: string, user: User): Promise<boolean> {
  const owner = await lstat(folder).catch(() => undefined)
  if (!owner) return false
  if (owner.isDirectory() && owner.uid === user.uid) return true
  throw new TerminalError(
    'postgres_home_not_ours',
    `The folder ${folder}, where Postgres would run for root, belongs to another user: remove it or choose another data folder.`,
  )
}
