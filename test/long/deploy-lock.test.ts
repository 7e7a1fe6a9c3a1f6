import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
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

async function lockedBy(who: string, machine: string, rest: object = {}): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, JSON.stringify({ id: 'x', who, machine, since: '2026-11-29T08:00:00.000Z', ...rest }))
}

/** What a run on this machine leaves, as it is named in its lock. */
async function logOfRun(): Promise<string> {
  const log = join(cloud.cwd, '.taskforce', 'deploy-staging-then.log')
  await writeFile(log, '')
  return log
}

/** The number of a process that has ended. */
function endedPid(): number {
  return spawnSync(process.execPath, ['--version']).pid
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

  it('of a run on this machine that is dead is taken over and said, whoever it was', async () => {
    await deployed('a')
    await lockedBy('grace@example.com', hostname(), { pid: endedPid(), log: await logOfRun() })
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/took the lock over from grace@example\.com .*a run that did not come to its end/),
    })
    expect(existsSync(file)).toBe(false)
  })

  it.each([
    ['lives', async () => ({ pid: process.pid, log: await logOfRun() }), 'It is process'],
    // Another machine may have the same name.
    ['has no log here', () => ({ pid: endedPid(), log: '/nowhere/deploy.log' }), 'Let them finish.'],
    ['does not say which process it is', async () => ({ log: await logOfRun() }), 'Let them finish.'],
  ])(
    'of a run of the same person on this machine that %s is taken over by --take-over alone',
    async (_, rest, words) => {
      await deployed('a')
      await lockedBy(ACCOUNT.user.name, hostname(), await rest())
      const { code, stderr } = await cloud.run(rollback, 'staging', '--yes')
      expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining(words) })
      expect((await cloud.run(deploy, 'staging', '--yes', '--take-over')).code).toBe(0)
    },
  )

  it('of a process whose number another has by now is taken over', async () => {
    await deployed('a')
    await lockedBy(...OTHER, { machine: hostname(), pid: process.pid, started: 'then', log: await logOfRun() })
    expect((await cloud.run(deploy, 'staging', '--yes')).code).toBe(process.platform === 'win32' ? 3 : 0)
  })

  it('of a run elsewhere is taken over by --take-over, with what can not be known', async () => {
    await deployed('a')
    await lockedBy(...OTHER)
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes', '--take-over')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('took the lock over from grace'),
    })
    expect(stdout).toContain('a command of that run may still be at work')
  })

  it('keeps a second run of the same person out while the first publishes', async () => {
    await deployed('a')
    await deployed('b')
    const publication = await cloud.hold('--name func-app --src')
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(publication.pid).toBeGreaterThan(0)
    expect((await cloud.run(rollback, 'staging', '--yes')).code).toBe(3)
    await publication.go()
    expect(await running).toMatchObject({ code: 0 })
  })

  it('names who works on a machine that acts by its identity', async () => {
    const user = { name: 'userAssignedIdentity', type: 'servicePrincipal', assignedIdentityInfo: 'MSIClient-1' }
    await cloud.set('account.json', { ...ACCOUNT, user })
    const publication = await cloud.hold('--name func-app --src')
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(publication.pid).toBeGreaterThan(0)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ who: `MSIClient-1 (${userInfo().username})` })
    await publication.go()
    await running
  })

  it("that nobody can read is somebody else's", async () => {
    await deployed('a')
    await writeFile(file, 'no JSON')
    expect((await cloud.run(deploy, 'staging', '--yes')).code).toBe(3)
  })

  /** Somebody takes the lock over before a run looks at it for the time after `looks`. */
  async function takenOverBefore(command: typeof deploy, looks: number) {
    await deployed('a')
    await deployed('b')
    cloud.source.commit = 'c'.repeat(40)
    cloud.apps.asked.length = 0
    const look = await cloud.hold('blob download --name staging/lock.json', looks)
    const running = cloud.run(command, 'staging', '--yes')
    await expect.poll(look.pid).toBeGreaterThan(0)
    await lockedBy(...OTHER)
    await look.go()
    const { code, stdout, stderr } = await running
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('taken over by grace@example.com'),
    })
    expect(stdout).toContain('the lock was taken over meanwhile')
    expect(existsSync(file)).toBe(true)
    return { stdout, stderr, asked: cloud.apps.asked.map(({ action }) => action) }
  }

  it.each([
    ['migrator', 0, 'This run published nothing', [], 'b'],
    ['expand', 1, 'This run published nothing', ['status', 'check'], 'b'],
    ['drain', 2, 'This run published nothing', ['expand'], 'b'],
    ['publish', 3, 'This run published nothing', ['drain', 'drain'], 'b'],
    ['publish', 4, 'The new package was published and not tested to its end', ['drain', 'drain'], 'c'],
    ['contract', 5, 'The new package was published and tested', ['resume'], 'c'],
    ['record', 6, 'The new package was published and tested', ['all'], 'c'],
  ] as const)(
    'that was taken over before %s, after %i looks at it, ends the deployment, which takes nothing back',
    async (stage, looks, state, last, runs) => {
      const { stdout, stderr, asked } = await takenOverBefore(deploy, looks)
      expect(stderr).toContain(`failed at ${stage}: The lock was taken over`)
      expect(stderr).toContain(
        `\n${state}. How things stand now is of the other run, and nothing of it was taken back.`,
      )
      expect(asked.slice(asked.length - last.length)).toEqual(last)
      if (looks >= 2 && looks <= 4) expect(stdout).toContain('the drain stays')
      if (looks === 3 || looks === 4) expect(cloud.apps.database.drain).not.toBeNull()
      expect(cloud.apps.running()).toBe(cloud.packageOf(runs.repeat(40)))
    },
  )

  it.each([
    ['drain', 0, 'This run published nothing', 'b'],
    ['publish', 1, 'This run published nothing', 'b'],
    ['publish', 2, 'The package was published', 'a'],
    ['record', 3, 'The package was published', 'a'],
  ] as const)(
    'that was taken over before %s, after %i looks at it, ends the rollback',
    async (stage, looks, state, runs) => {
      const { stderr } = await takenOverBefore(rollback, looks)
      expect(stderr).toContain(`failed at ${stage}: The lock was taken over`)
      expect(stderr).toContain(`\n${state}. How things stand now is of the other run.`)
      expect(stderr).not.toMatch(/npm run rollback|Nothing was changed/)
      expect(cloud.apps.running()).toBe(cloud.packageOf(runs.repeat(40)))
    },
  )

  it('that was taken over is why a package that does not work is not taken back', async () => {
    await deployed('a')
    cloud.source.commit = 'b'.repeat(40)
    await cloud.fail('sub what-if')
    await cloud.run(deploy, 'staging', '--yes')
    cloud.apps.broken.add(cloud.packageOf('b'.repeat(40)))
    // Of those in a deployment that goes well, the one after the publication is the last before the smoke test.
    const look = await cloud.hold('blob download --name staging/lock.json', 5)
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(look.pid).toBeGreaterThan(0)
    await lockedBy(...OTHER)
    await look.go()
    const { stderr } = await running
    expect(stderr).toContain('failed at smoke')
    // Before it drains.
    expect(stderr).toMatch(/Going back to \S+ failed at smoke: The lock was taken over by grace@example\.com/)
    expect(stderr).toContain("Nothing more was taken back: the environment is the other run's.")
    expect(stderr).not.toContain('npm run rollback')
    expect(cloud.apps.running()).toBe(cloud.packageOf('b'.repeat(40)))
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
