import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { ACCOUNT, createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
let file: string
beforeEach(async () => {
  cloud = await createCloud()
  file = join(cloud.cwd, '../cloud/blobs/staging/lock.json')
})

async function deployed(commit: string): Promise<void> {
  cloud.source.commit = commit.repeat(40)
  expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
}

async function lockedBy(who: string, machine: string): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, JSON.stringify({ id: 'x', who, machine, since: '2026-11-29T08:00:00.000Z' }))
}

const OTHER = ['grace@example.com', 'her-laptop'] as const

describe('the lock', () => {
  it('is held while a deployment runs, says whose it is, and is gone afterwards, also when that failed', async () => {
    for (const fails of [false, true]) {
      const publication = await cloud.hold('--name func-app --src')
      if (fails) await cloud.fail('--name func-app --src')
      const running = cloud.run(deploy, 'staging', '--yes')
      await expect.poll(() => existsSync(file)).toBe(true)
      if (!fails)
        expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ who: ACCOUNT.user.name, machine: hostname() })
      await publication.go()
      expect((await running).code).toBe(fails ? 1 : 0)
      expect(existsSync(file)).toBe(false)
    }
  })

  it('of somebody else keeps both commands out, by exit code 3 with how to go on, and stays theirs', async () => {
    await deployed('a')
    await deployed('b')
    await lockedBy(...OTHER)
    for (const command of [deploy, rollback]) {
      const { code, stderr } = await cloud.run(command, 'staging', '--yes')
      expect({ code, stderr }).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(
          'being changed by grace@example.com on her-laptop, since 2026-11-29T08:00:00.000Z',
        ),
      })
      expect(stderr).toContain('the same command with --take-over')
    }
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ id: 'x' })
    expect((await cloud.run(deployments, 'staging')).stdout.trim().split('\n')).toHaveLength(2)
  })

  it.each([
    ['on the same machine, without a word of theirs', [ACCOUNT.user.name, hostname()], []],
    ['elsewhere, with --take-over', OTHER, ['--take-over']],
  ] as const)('of a run that died %s, is taken over and said', async (_, [who, machine], words) => {
    await deployed('a')
    await lockedBy(who, machine)
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes', ...words)
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`took the lock over from ${who}`),
    })
    expect(existsSync(file)).toBe(false)
  })

  it("that nobody can read is somebody else's", async () => {
    await deployed('a')
    await writeFile(file, 'no JSON')
    expect((await cloud.run(deploy, 'staging', '--yes')).code).toBe(3)
  })

  it('that was taken over from a run that lives is not removed by it', async () => {
    await deployed('a')
    const publication = await cloud.hold('--name func-app --src')
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(() => cloud.apps.database.drain).not.toBeNull()
    await lockedBy(...OTHER)
    await publication.go()
    expect(await running).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the lock was taken over meanwhile'),
    })
    expect(existsSync(file)).toBe(true)
  })

  it('that can not be removed is said, and is no failure of what was done', async () => {
    await cloud.fail('blob delete')
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the lock could not be removed'),
    })
  })
})
