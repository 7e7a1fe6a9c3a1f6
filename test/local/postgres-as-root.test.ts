import { chmod, mkdir, mkdtemp, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startPostgres } from '../../src/local/postgres/start-postgres.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-root-'))
  await chmod(folder, 0o700)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function startAndStop(userNamespaces: boolean) {
  const lines: string[] = []
  const options = {
    dataDir: join(folder, 'pg'),
    durable: false,
    userNamespaces,
    log: (line: string) => lines.push(line),
  }
  const { superUrl, stop } = await startPostgres(options)
  await stop()
  return { superUrl, log: lines.join('\n') }
}

describe.skipIf(process.getuid?.() !== 0)('as root', () => {
  test('Postgres runs in a folder of mode 0700, and root owns the data', async ({ skip }) => {
    const { log } = await startAndStop(true)
    skip(log.includes('does not run as root'), 'this machine forbids user namespaces')
    expect((await stat(join(folder, 'pg', 'PG_VERSION'))).uid).toBe(0)
    await startAndStop(true)
  })

  test('without user namespaces Postgres runs in the data folder as a system user that can reach it', async () => {
    await chmod(folder, 0o755)
    const first = await startAndStop(false)
    const { uid } = await stat(join(folder, 'pg', 'PG_VERSION'))
    expect(uid).not.toBe(0)
    const second = await startAndStop(true)
    expect(second.log).toContain(`runs as user id ${uid} with its data in ${join(folder, 'pg')}`)
    expect(second.superUrl.split('@')[0]).toBe(first.superUrl.split('@')[0])
  })

  test('where that user cannot reach the data folder, it becomes a link, and deleting the link begins anew', async () => {
    const first = await startAndStop(false)
    const home = dirname(await readlink(join(folder, 'pg')))
    try {
      expect(first.log).toContain(`with its data in ${join(home, 'data')}`)
      expect((await startAndStop(true)).superUrl.split('@')[0]).toBe(first.superUrl.split('@')[0])
      await rm(folder, { recursive: true })
      await mkdir(folder, { mode: 0o700 })
      const anew = await startAndStop(false)
      expect(anew.superUrl.split('@')[0]).not.toBe(first.superUrl.split('@')[0])
    } finally {
      await rm(home, { recursive: true, force: true })
    }
  })

  test('data that only root can read is refused where Postgres cannot run for root', async () => {
    const { log } = await startAndStop(true)
    if (log.includes('does not run as root')) return
    await expect(startAndStop(false)).rejects.toMatchObject({ code: 'postgres_root_refused' })
  })
})
