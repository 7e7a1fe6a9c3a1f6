import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { makeKeyFolder } from '../../scripts/deploy/key-folder.ts'
import { main as deploy } from '../../scripts/deploy/main.ts'
import type { DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'
import { isAlive } from '../support/is-alive.ts'

let cloud: Cloud
const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)] as const
const lock = () => join(cloud.cwd, '../cloud/blobs/staging/lock.json')

beforeEach(async () => {
  cloud = await createCloud()
  for (const commit of [FIRST, SECOND]) {
    cloud.source.commit = commit
    await cloud.run(deploy, 'staging', '--yes')
  }
})

async function logsOf(command: string): Promise<string> {
  const names = (await readdir(join(cloud.cwd, '.taskforce'))).filter((name) => name.startsWith(command))
  const texts = names
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFile(join(cloud.cwd, '.taskforce', name), 'utf8'))
  return (await Promise.all(texts)).join('\n')
}

/** Its code, or the signal that ended it. */
async function endOf(child: ChildProcess): Promise<number | string> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  return code ?? signal ?? 'nothing'
}

/** A rollback, as a process of its own, that is in the middle of its publication. */
async function publishing() {
  const publication = await cloud.hold('--name func-app --src')
  const child = cloud.start('rollback', 'staging', '--yes')
  await expect.poll(publication.pid).toBeGreaterThan(0)
  return { child, publication, az: await publication.pid() }
}

async function newest(): Promise<DeploymentRecord | undefined> {
  const [first] = JSON.parse((await cloud.run(deployments, 'staging', '--json')).stdout) as DeploymentRecord[]
  return first
}

describe.skipIf(process.platform === 'win32')('a run', () => {
  it.each(['SIGHUP', 'a closed pipe', 'both, one after the other'])(
    'whose terminal goes away (%s) clears up, and tells its log',
    async (how) => {
      const { child, publication, az } = await publishing()
      const ended = endOf(child)
      if (how !== 'SIGHUP') child.stdout?.destroy()
      if (how.startsWith('both')) child.stderr?.destroy()
      if (how !== 'a closed pipe') child.kill('SIGHUP')
      // What it writes then finds nobody.
      else await publication.go()
      expect(await ended).toBe(1)
      if (how !== 'a closed pipe') await publication.go()
      expect(await isAlive(az)).toBe(false)
      expect(existsSync(lock())).toBe(false)
      expect(cloud.apps.database.drain).toBeNull()
      expect(await logsOf('rollback')).toContain(': clears up and ends.')
    },
  )

  it('that deploys takes a closed pipe the same way', async () => {
    const held = await cloud.hold('account show')
    const child = cloud.start('deploy', 'staging', '--yes')
    const ended = endOf(child)
    await expect.poll(held.pid).toBeGreaterThan(0)
    child.stdout?.destroy()
    await held.go()
    expect(await ended).toBe(1)
    expect(await logsOf('deploy')).toContain('the end of whoever read its output: clears up and ends')
  })

  it('takes a signal that npm hands on, after the terminal has sent it too, for one', async () => {
    const { child } = await publishing()
    const ended = endOf(child)
    // The last thing that clearing up does, so that it is not over when the signal comes once more.
    const removal = await cloud.hold('blob delete')
    child.kill('SIGINT')
    await expect.poll(() => logsOf('rollback')).toContain('SIGINT: clears up')
    child.kill('SIGINT')
    await removal.go()
    expect(await ended).toBe(1)
    expect(existsSync(lock())).toBe(false)
    expect(cloud.apps.database.drain).toBeNull()
  })

  it('that was killed leaves its command, which the next run ends and tells of', async () => {
    const { child, publication, az } = await publishing()
    child.kill('SIGKILL')
    await endOf(child)
    expect(await isAlive(az)).toBe(true)
    await cloud.fail('sub what-if')
    const { stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect(stdout).toMatch(/ended what that run had left at work: az functionapp deployment source config-zip/)
    expect(stdout).toContain('what Azure had taken of it by then may still be done')
    expect(await isAlive(az)).toBe(false)
    await publication.go()
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
    expect((await readdir(join(cloud.cwd, '.taskforce'))).filter((name) => name.includes('running'))).toEqual([])
  })

  it('that was killed after it published is recorded, and what runs is where a rollback starts', async () => {
    const { child, publication } = await publishing()
    // So the smoke test waits.
    cloud.apps.late.set('/health', 1_000_000)
    await publication.go()
    await expect.poll(() => cloud.apps.asked.at(-1)?.action).toBe('resume')
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    child.kill('SIGKILL')
    await endOf(child)
    cloud.apps.late.clear()
    expect(await newest()).toMatchObject({ commit: FIRST, outcome: 'failed', runs: true, reason: 'not ended' })
    expect((await cloud.run(deployments, 'staging')).stdout).toMatch(/^→ .*a{12}  rollback  failed .*\(not ended\)/m)
    const { code, stderr } = await cloud.run(rollback, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was deployed before') })
  })
})

describe('folders of keys', () => {
  it('that a killed run left are swept by the next; those of one that lives are not', async () => {
    const [ours, left] = await Promise.all([makeKeyFolder(), mkdtemp(join(tmpdir(), 'taskforce-key-'))])
    onTestFinished(() => rm(ours, { recursive: true }))
    await mkdir(join(left, 'key'))
    await cloud.run(rollback, 'staging', '--yes')
    expect([existsSync(ours), existsSync(left)]).toEqual([true, false])
  })
})
