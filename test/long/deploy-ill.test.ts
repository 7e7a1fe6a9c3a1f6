import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import type { DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'
import { commitOf, deployCommits } from '../support/azure/deployed.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const deployed = (...letters: string[]) => deployCommits(cloud, letters)

const restarts = async () => (await cloud.calls()).filter((line) => /functionapp restart|refresh\?/.test(line)).length

describe('the package that runs already, deployed once more into an environment that is ill', () => {
  beforeEach(() => deployed('a', 'b'))

  it('is not taken back when its smoke test fails, and it is said what is ill', async () => {
    // The look before, and the smoke test.
    cloud.apps.ill.left = 14
    const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('the service is unavailable (database: it does not answer)'),
    })
    expect(stderr).toContain('nothing new was published, and nothing was taken back. It is the environment that is ill')
    expect(stderr).toContain(`npm run doctor -- --url ${cloud.apps.url}`)
    expect(stdout).not.toContain('going back')
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('b')))
    expect(cloud.apps.database.drain).toBeNull()
    const [newest] = JSON.parse((await cloud.run(deployments, 'staging', '--json')).stdout) as DeploymentRecord[]
    expect(newest).toMatchObject({ commit: commitOf('b'), outcome: 'failed', runs: true })
    // And a rollback by hand still goes to the one of before.
    expect(await cloud.run(rollback, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('a')))
  })

  it('stays too when it can not be published', async () => {
    await cloud.fail('--name func-app --src')
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('failed at publish') })
    expect(stderr).toContain('nothing was taken back. Whichever of its copies is there, it is the same.')
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('b')))
  })
})

describe('what runs is looked at before anything is drained', () => {
  beforeEach(() => deployed('a'))

  it('and that it is ill is said, and stops no deployment', async () => {
    cloud.source.commit = commitOf('b')
    cloud.apps.ill.left = 7
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    const said = lines.findIndex((line) =>
      line.includes('the app that runs is ill already: the service is unavailable'),
    )
    expect(said).toBeGreaterThan(0)
    expect(said).toBeLessThan(lines.findIndex((line) => line.startsWith('✔ drain')))
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('b')))
  })

  it('and one that answers nothing is the same', async () => {
    cloud.apps.broken.add(cloud.packageOf(commitOf('a')))
    cloud.source.commit = commitOf('b')
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('ill already: http://') })
  })

  it('and one that has another key than the vault reads its secrets anew', async () => {
    const before = await restarts()
    await cloud.set('stale.json', 'until it starts anew')
    await deployed('b')
    expect(await restarts()).toBe(before + 2)
    expect(existsSync(join(cloud.cwd, '../cloud/stale.json'))).toBe(false)
  })

  it('and one that never takes the key ends the deployment there', async () => {
    await cloud.set('stale.json', 'for ever')
    cloud.source.commit = commitOf('b')
    cloud.apps.asked.length = 0
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('failed at api-key: func-app does not take the key taskforce-api-key of kv-test'),
    })
    expect(stderr).toContain('The app and the database are as they were.')
    expect(cloud.apps.asked).toEqual([])
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('a')))
  })
})
