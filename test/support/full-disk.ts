import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { withSuper } from './global-setup.ts'

export interface FullDisk {
  makeRoom(): Promise<void>
}

interface Volume {
  folder: string
  remove(): void
}

const REFUSING = `
  create function public.full_disk() returns trigger language plpgsql as
    $$begin raise exception using errcode = '53100', message = 'could not extend file'; end$$;
  create trigger full_disk before insert on taskforce.events execute function public.full_disk()`

/**
 * Lets no event of a database be stored any more. On a small file system of its own where this machine lets us have one, so
 * that Postgres meets the real thing; or else by the same error from a trigger.
 * @param superUrl of a superuser, in that database
 */
export async function fillDisk(superUrl: string): Promise<FullDisk> {
  const volume = mountVolume(16)
  const moved = volume !== undefined && (await moveEvents(superUrl, volume))
  if (!moved) {
    volume?.remove()
    await withSuper(superUrl, (client) => client.query(REFUSING))
    return {
      makeRoom: () =>
        withSuper(superUrl, async (client) => void (await client.query('drop trigger full_disk on taskforce.events'))),
    }
  }
  return {
    makeRoom: () =>
      withSuper(superUrl, async (client) => {
        await client.query('drop table public.filler')
        await client.query('alter table taskforce.events set tablespace pg_default')
        await client.query('drop tablespace small')
        volume.remove()
      }),
  }
}

/** False where the server may not have the folder, as it runs under another user. */
async function moveEvents(superUrl: string, { folder }: Volume): Promise<boolean> {
  return withSuper(superUrl, async (client) => {
    const made = await client.query(`create tablespace small location '${folder}'`).catch(() => undefined)
    if (made === undefined) return false
    await client.query('alter table taskforce.events set tablespace small')
    await client.query('create table public.filler (text text) tablespace small')
    const fill = client.query(`insert into public.filler select repeat('x', 2000) from generate_series(1, 100000)`)
    await expect(fill).rejects.toMatchObject({ code: '53100' })
    return true
  })
}

/** A file system of so many megabytes; only root may have one, and not in every container. */
function mountVolume(megabytes: number): Volume | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'taskforce-volume-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  return {
    folder,
    remove() {
      execFileSync('umount', ['--lazy', folder])
      rmSync(folder, { recursive: true })
    },
  }
}
