import { beforeEach, describe, expect, it } from 'vitest'
import type { DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'
import { commitOf, deployCommits } from '../support/azure/deployed.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const deployed = (...letters: string[]) => deployCommits(cloud, letters)

it('a second rollback goes further back, and not forward again', async () => {
  await deployed('a', 'b', 'c')
  for (const letter of ['b', 'a']) {
    expect(await cloud.run(rollback, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf(letter)))
  }
  const { code, stderr } = await cloud.run(rollback, 'staging', '--yes')
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('--to VERSION or COMMIT') })
  expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('a')))
})

it('a rollback that is refused before anything was done says so, once, and where its log is', async () => {
  await deployed('a')
  const refused = [await cloud.run(rollback, 'staging', '--yes'), await cloud.run(rollback, 'staging', '--to', '9.9.9')]
  await deployed('b')
  refused.push(await cloud.run(rollback, 'staging'))
  Object.assign(cloud.apps.database, { revision: CODE_REVISION + 2, minCode: CODE_REVISION + 1 })
  refused.push(await cloud.run(rollback, 'staging', '--yes'))
  expect(refused.map(({ code }) => code)).toEqual([1, 1, 3, 3])
  for (const { stderr } of refused) {
    expect(stderr.match(/Nothing was (?:changed|done)/g)).toHaveLength(1)
    expect(stderr).toMatch(/Everything that was done: \.taskforce\/rollback-staging-\w+\.log/)
  }
})

describe('without the migrator', () => {
  const asked = () => cloud.apps.asked.map(({ action }) => action)

  /** It answers nothing, as often as it is asked. */
  async function broken(): Promise<void> {
    await deployed('a', 'b')
    cloud.apps.asked.length = 0
    const refusals = Array.from({ length: 20 }, () => ({ status: 503, body: {} }))
    cloud.apps.refusals.set('status', refusals)
  }

  it('a rollback is possible, which the one that fails says', async () => {
    await broken()
    const failed = await cloud.run(rollback, 'staging', '--yes')
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('--without-migrator') })
    cloud.apps.asked.length = 0
    const { code, stdout } = await cloud.run(rollback, 'staging', '--yes', '--without-migrator')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        `nothing is drained, so steps that run are cut off and done again, and the schema is taken`,
      ),
    })
    expect(asked()).toEqual([])
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('a')))
    const [newest] = JSON.parse((await cloud.run(deployments, 'staging', '--json')).stdout) as DeploymentRecord[]
    expect(newest).toMatchObject({ kind: 'rollback', reason: 'by hand, without the migrator' })
  })

  it('is named too where its key can not be read', async () => {
    await deployed('a', 'b')
    await cloud.fail('keys list', 'ERROR: Not Found', 100)
    expect((await cloud.run(rollback, 'staging', '--yes')).stderr).toContain('--without-migrator')
  })

  it('what was recorded of the schema decides whether the package fits', async () => {
    await deployed('a')
    Object.assign(cloud.apps.database, { revision: CODE_REVISION + 2, minCode: CODE_REVISION + 1 })
    cloud.source.codeRevision = CODE_REVISION + 2
    await deployed('b')
    const { code, stderr } = await cloud.run(rollback, 'staging', '--yes', '--without-migrator')
    expect(code).toBe(3)
    expect(stderr).toContain(`works with code of revision ${CODE_REVISION + 1} and newer`)
    expect(cloud.apps.running()).toBe(cloud.packageOf(commitOf('b')))
  })
})
