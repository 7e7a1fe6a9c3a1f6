import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import type { DeployContext } from '../../scripts/deploy/open-session.ts'
import type { DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { version } from '../../src/version.ts'
import { createCloud, type Cloud, type Run } from '../support/azure/cloud.ts'

let cloud: Cloud
const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)] as const
beforeEach(async () => {
  cloud = await createCloud()
})

/** Ctrl-C while the call of az runs that `match` says. */
async function interrupt(
  command: (words: string[], context: DeployContext) => Promise<number>,
  match: string,
): Promise<Run> {
  const listeners = process.listenerCount('SIGINT')
  const held = await cloud.hold(match)
  const running = cloud.run(command, 'staging', '--yes')
  await expect.poll(held.pid).toBeGreaterThan(0)
  const pid = await held.pid()
  process.kill(process.pid, 'SIGINT')
  const run = await running
  expect(process.listenerCount('SIGINT')).toBe(listeners)
  // It is waited for by nobody, and does nothing later on.
  expect(isAlive(pid)).toBe(false)
  await held.go()
  return run
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const locks = async () =>
  (await cloud.calls()).filter((line) => /blob delete --name staging\/lock\.json/.test(line)).length

describe.skipIf(process.platform === 'win32')('Ctrl-C', () => {
  it('in the exchange ends the drain, publishes nothing further, and says how things stand', async () => {
    await cloud.run(deploy, 'staging', '--yes')
    cloud.source.commit = SECOND
    const { code, stdout, stderr } = await interrupt(deploy, '--name func-app --src')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The deployment failed at publish: It was interrupted by SIGINT.'),
    })
    const back = `npm run rollback -- staging --to ${FIRST.slice(0, 12)}`
    expect(stderr).toContain(`Nothing was taken back. To ${version} (${FIRST.slice(0, 12)}): ${back}\n`)
    expect(stdout).toContain('the drain is over')
    expect(cloud.apps.database.drain).toBeNull()
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect(await locks()).toBe(2)
    const [newest] = JSON.parse((await cloud.run(deployments, 'staging', '--json')).stdout) as DeploymentRecord[]
    expect(newest).toMatchObject({
      commit: SECOND,
      outcome: 'failed',
      reason: 'publish: It was interrupted by SIGINT.',
    })
    expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })

  it('in the first exchange names no rollback, since there is nothing to go back to', async () => {
    const { stderr } = await interrupt(deploy, '--name func-app --src')
    expect(stderr).toContain('Nothing was taken back.')
    expect(stderr).not.toContain('npm run rollback')
  })

  it('while the lock is stored takes it away again', async () => {
    const held = await cloud.hold('--overwrite false', 0, 'after')
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(held.pid).toBeGreaterThan(0)
    process.kill(process.pid, 'SIGINT')
    expect((await running).code).toBe(1)
    expect(await locks()).toBe(1)
    await held.go()
    expect(existsSync(join(cloud.cwd, '../cloud/blobs/staging/lock.json'))).toBe(false)
  })

  it('before it changes nothing', async () => {
    await cloud.run(deploy, 'staging', '--yes')
    const { code, stderr } = await interrupt(deploy, 'sub what-if')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('at what-if: It was interrupted'),
    })
    expect(stderr).toContain('Nothing was changed.')
    expect(await locks()).toBe(2)
  })

  it('in a rollback ends the drain too', async () => {
    await cloud.run(deploy, 'staging', '--yes')
    cloud.source.commit = SECOND
    await cloud.run(deploy, 'staging', '--yes')
    const { code, stderr } = await interrupt(rollback, '--name func-app --src')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The rollback failed at publish: It was interrupted by SIGINT.'),
    })
    expect(cloud.apps.database.drain).toBeNull()
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })
})
