import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './process-mark.ts'

const PREFIX = 'taskforce-key-'

/** A folder for a key, which `sweepKeyFolders` finds where this process is killed. */
export function makeKeyFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
}

/** Removes the folders of keys that runs of this user left which were killed. */
export async function sweepKeyFolders(): Promise<void> {
  const names = await readdir(tmpdir())
  for (const name of names.filter((one) => one.startsWith(PREFIX) && !isInUse(one))) {
    const folder = join(tmpdir(), name)
    const found = await stat(folder).catch(() => undefined)
    if (found !== undefined && isMine(found.uid)) await rm(folder, { recursive: true, force: true })
  }
}

function isInUse(name: string): boolean {
  const [, pid] = /^(\d+)-/.exec(name.slice(PREFIX.length)) ?? []
  return pid !== undefined && isAlive({ pid: Number(pid) })
}

/** On Windows, folders have no number of their owner, and everybody has their own for temporary files. */
function isMine(uid: number): boolean {
  return process.getuid === undefined || uid === process.getuid()
}
