import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import type { DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

async function deployed(commit: string): Promise<DeploymentRecord> {
  cloud.source.commit = commit.repeat(40)
  const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes', '--json')
  expect({ code, stderr: stderr.split('\n').filter((line) => line.startsWith('The deployment failed')) }).toEqual({
    code: 0,
    stderr: [],
  })
  return JSON.parse(stdout) as DeploymentRecord
}

it('a deployment waits for its own build, though the one of before has the same version', async () => {
  const first = await deployed('a')
  const { late, asked } = cloud.apps
  late.set('/migrate', 2).set('/health', 2)
  const before = asked.length
  const second = await deployed('b')
  expect(second.build).toMatch(/^[0-9a-f]{16}$/)
  expect(second.build).not.toBe(first.build)
  // Nothing is read or migrated by the package of before.
  expect(asked.slice(before, before + 4).map(({ action }) => action)).toEqual(['status', 'status', 'status', 'check'])
  expect(late.get('/health')).toBe(-1)
})

it('one whose build never answers is taken back', async () => {
  await deployed('a')
  cloud.source.commit = 'b'.repeat(40)
  // One for the look before, and more than the smoke test asks, and no more: going back is tested too.
  cloud.apps.late.set('/health', 9)
  const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/build of before\) in place of version/),
  })
  expect(stderr).toContain('It went back to')
})

it('a record from before packages had a build is gone back to by its version', async () => {
  const { package: first } = await deployed('a')
  const folder = join(cloud.cwd, '../cloud/blobs/staging')
  const [name = ''] = await readdir(folder)
  const { build, ...old } = JSON.parse(await readFile(join(folder, name), 'utf8')) as DeploymentRecord
  expect(build).toBeDefined()
  await writeFile(join(folder, name), JSON.stringify(old))
  await deployed('b')
  expect(await cloud.run(rollback, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
  expect(cloud.apps.running()).toBe(first.sha256)
})
