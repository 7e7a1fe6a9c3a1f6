import { TerminalError } from '../../domain/errors.ts'
import { hashStored, tapHash } from '../codec/hash-stored.ts'
import type { BackupStore } from './store.ts'

/**
 * Copies one file through this process, reads the copy back and compares. A copy that is there already, whole, is as good as a new
 * one: an earlier run may have died after it. Throws TerminalError `backup_damaged` where the original is not what it was,
 * `offsite_damaged` where the copy is not (a copy of this run is removed again), and what the stores throw.
 * @param expectedSha256 of the stored bytes, in hex
 * @returns how many bytes the file has
 */
export async function copyFile(
  from: BackupStore,
  to: BackupStore,
  name: string,
  expectedSha256: string,
): Promise<{ bytes: number }> {
  const made = await copyOnce(from, to, name, expectedSha256)
  const { bytes, sha256 } = await hashStored(to.read(name))
  if (sha256 === expectedSha256) return { bytes }
  // Without its manifest it is no backup, and it would be in the way of the next attempt. It may be that nothing can be removed there.
  if (made) await to.remove(name).catch(() => undefined)
  throw new TerminalError('offsite_damaged', `The copy of ${name} in ${to.place} is not what was copied.`, {
    hint: made
      ? 'Try again; where it happens again, look at that storage.'
      : `It was there before. Look at it, remove it, and try again.`,
  })
}

/** False where there is such a file already. */
async function copyOnce(from: BackupStore, to: BackupStore, name: string, expectedSha256: string): Promise<boolean> {
  const pending = await to.begin(name)
  try {
    const original = tapHash(from.read(name))
    for await (const chunk of original.chunks) await pending.write(chunk)
    if (original.result().sha256 !== expectedSha256) throw originalDamaged(from, name)
    await pending.commit()
    return true
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'backup_exists') return false
    throw error
  } finally {
    await pending.abort()
  }
}

function originalDamaged(from: BackupStore, name: string): TerminalError {
  return new TerminalError(
    'backup_damaged',
    `The file ${name} in ${from.place} is not what its manifest says. Nothing was copied.`,
    {
      hint: 'Take a new backup: npm run backup -- now.',
    },
  )
}
