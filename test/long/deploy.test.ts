import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import type { DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { version } from '../../src/version.ts'
import { ACCOUNT, createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)] as const

async function deployed(commit: string): Promise<void> {
  cloud.source.commit = commit
  const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes')
  expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: '' })
}

async function records(): Promise<DeploymentRecord[]> {
  return JSON.parse((await cloud.run(deployments, 'staging', '--json')).stdout) as DeploymentRecord[]
}

describe('npm run deploy', () => {
  it('records each deployment, and --json answers the record alone', async () => {
    const { stdout } = await cloud.run(deploy, 'staging', '--yes', '--json')
    const record = JSON.parse(stdout) as DeploymentRecord
    expect(record).toMatchObject({
      environment: 'staging',
      kind: 'deploy',
      outcome: 'deployed',
      version,
      commit: FIRST,
      codeRevision: CODE_REVISION,
      schema: { revision: CODE_REVISION },
      package: { blob: `packages/taskforce-${version}-${FIRST.slice(0, 12)}.zip`, sha256: cloud.packageOf(FIRST) },
      who: ACCOUNT.user.name,
    })
    expect(await records()).toEqual([{ ...record, isRunning: true }])
  })

  it('stores a package once, and tells the migrator which code runs', async () => {
    await deployed(FIRST)
    cloud.source.codeRevision = CODE_REVISION
    await deployed(SECOND)
    await deployed(SECOND)
    const uploads = (await cloud.calls()).filter((line) => line.includes('upload') && line.includes('.zip'))
    expect(uploads).toHaveLength(2)
    expect(cloud.apps.asked.filter(({ action }) => action === 'expand').at(-1)).toMatchObject({
      codeRevision: CODE_REVISION,
    })
  })

  it('waits until missions are handed over, and no longer than it was told', async () => {
    cloud.apps.database.held = 3
    const told = await cloud.run(deploy, 'staging', '--yes', '--wait', '0')
    expect(told.stdout).toContain('3 missions are not handed over yet')
    cloud.apps.database.held = 3
    const { stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect(stdout).not.toContain('handed over')
    expect(cloud.slept).toContain(2_000)
  })

  it('waits out a refusal that comes with roles that are minutes old', async () => {
    await cloud.fail('--name packages/', 'ERROR: AuthorizationPermissionMismatch (403)', 3)
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(0)
    expect(stdout).toContain('Azure refuses still')
    expect(cloud.slept).toEqual(expect.arrayContaining([10_000, 20_000, 30_000]))
  })

  it('asks the migrator again when its answer is cut off', async () => {
    cloud.apps.refusals.set('expand', [
      { status: 502, body: {} },
      { status: 503, body: { detail: 'migrate_busy: wait' } },
    ])
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(0)
    expect(stdout).toContain('does not answer yet (503: migrate_busy: wait)')
  })

  it('refuses changes that no commit has, but not in dev', async () => {
    cloud.source.hasChanges = true
    const refused = await cloud.run(deploy, 'staging', '--yes')
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('Commit or stash them') })
    expect((await cloud.run(deploy, 'dev', '--yes')).code).toBe(0)
  })

  it('names the providers that are missing and how to register them', async () => {
    await cloud.set('providers.json', ['Microsoft.Web'])
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain('az provider register --wait --namespace Microsoft.App;')
  })

  it('with --skip-infra leaves the infrastructure as it is, and needs one', async () => {
    expect((await cloud.run(deploy, 'staging', '--yes', '--skip-infra')).stderr).toContain(
      'There is no staging in this subscription: rg-taskforce-staging has no deployment',
    )
    await deployed(FIRST)
    const before = (await cloud.calls()).length
    expect((await cloud.run(deploy, 'staging', '--skip-infra')).code).toBe(0)
    expect((await cloud.calls()).slice(before).join('\n')).not.toMatch(/what-if|sub create|provider list/)
  })
})

describe('a package that does not work', () => {
  it('is taken back to the one of before, which is said and recorded', async () => {
    await deployed(FIRST)
    cloud.source.commit = SECOND
    // Its hash is known once it was built.
    await cloud.fail('sub what-if')
    await cloud.run(deploy, 'staging', '--yes')
    cloud.apps.broken.add(cloud.packageOf(SECOND))
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain('The deployment failed at smoke')
    expect(stderr).toContain(`It went back to ${version} (${FIRST.slice(0, 12)}), which was tested and runs.`)
    expect(stderr).toContain('npm run deploy -- staging')
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect(cloud.apps.database.drain).toBeNull()
    const kinds = (await records()).map(({ kind, outcome, commit }) => `${kind} ${outcome} ${commit.slice(0, 1)}`)
    expect(kinds.sort()).toEqual(['deploy deployed a', 'deploy failed b', 'rollback deployed a'])
  })

  it('stays where there is nothing to go back to, and says so', async () => {
    await cloud.fail('sub what-if')
    await cloud.run(deploy, 'staging', '--yes')
    cloud.apps.broken.add(cloud.packageOf(FIRST))
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain('There is no other package to go back to; the drain is over.')
  })

  it('that can not even be published keeps nobody from working', async () => {
    await cloud.fail('--name func-app --src')
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('failed at publish') })
    expect(cloud.apps.database.drain).toBeNull()
  })

  it('stays where the one of before can not run on the schema, and says why', async () => {
    await deployed(FIRST)
    Object.assign(cloud.source, { commit: SECOND, codeRevision: CODE_REVISION + 1 })
    await cloud.fail('sub what-if')
    await cloud.run(deploy, 'staging', '--yes')
    cloud.apps.broken.add(cloud.packageOf(SECOND))
    Object.assign(cloud.apps.database, { revision: CODE_REVISION + 1, minCode: CODE_REVISION + 1 })
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain(
      `Going back to ${version} failed at smoke: ${version} (code revision ${CODE_REVISION}) can't run`,
    )
    expect(stderr).toContain('The way out is forward')
    expect(stderr).not.toMatch(/Nothing was changed|npm run rollback/)
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })

  it('is refused before anything is migrated where it is too old for the schema', async () => {
    Object.assign(cloud.source, { commit: FIRST, codeRevision: CODE_REVISION + 1 })
    await cloud.run(deploy, 'staging', '--yes')
    Object.assign(cloud.apps.database, { revision: CODE_REVISION + 1, minCode: CODE_REVISION + 1 })
    Object.assign(cloud.source, { commit: SECOND, codeRevision: CODE_REVISION })
    cloud.apps.asked.length = 0
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`failed at migrator: ${version} (code revision ${CODE_REVISION}) can't run`),
    })
    expect(cloud.apps.asked.map(({ action }) => action)).toEqual(['status'])
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
  })
})

describe('npm run rollback', () => {
  it('puts the package of before back, as it was stored, and the next goes forward again', async () => {
    await deployed(FIRST)
    await deployed(SECOND)
    const { code, stdout } = await cloud.run(rollback, 'staging', '--yes')
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('runs in staging again') })
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect((await records())[0]).toMatchObject({ kind: 'rollback', commit: FIRST, reason: 'by hand' })
    await deployed(SECOND)
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })

  it('refuses where the code can not run on the schema, and says why', async () => {
    await deployed(FIRST)
    await deployed(SECOND)
    Object.assign(cloud.apps.database, { revision: CODE_REVISION + 2, minCode: CODE_REVISION + 1 })
    const { code, stderr } = await cloud.run(rollback, 'staging', '--yes')
    expect(code).toBe(3)
    expect(stderr).toContain(`works with code of revision ${CODE_REVISION + 1} and newer`)
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
    expect(cloud.apps.database.drain).toBeNull()
  })

  it('goes to a version or commit by name, and names what there is otherwise', async () => {
    await deployed(FIRST)
    await deployed(SECOND)
    expect((await cloud.run(rollback, 'staging', '--yes', '--to', '9.9.9')).stderr).toContain(
      `There are: ${version} (${SECOND.slice(0, 12)}), ${version} (${FIRST.slice(0, 12)}).`,
    )
    expect((await cloud.run(rollback, 'staging', '--yes', '--to', FIRST.slice(0, 8))).code).toBe(0)
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
  })

  it('does not publish bytes that are not those that were deployed', async () => {
    await deployed(FIRST)
    await deployed(SECOND)
    const [first] = (await records()).filter(({ commit }) => commit === FIRST)
    await writeFile(join(cloud.cwd, '../cloud/blobs', first?.package.blob ?? ''), 'something else')
    const { code, stderr } = await cloud.run(rollback, 'staging', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain('is not what was deployed')
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })
})

describe('npm run deployments', () => {
  it('lists them with what runs, and says where there is none', async () => {
    await deployed(FIRST)
    await deployed(SECOND)
    const lines = (await cloud.run(deployments, 'staging')).stdout.trim().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(
      new RegExp(`^→ \\S+Z  ${version.replaceAll('.', '\\.')}  ${SECOND.slice(0, 12)}  deploy  deployed`),
    )
    // By azd or az alone.
    await cloud.run(deploy, 'dev', '--yes')
    await rm(join(cloud.cwd, '../cloud/blobs/dev'), { recursive: true })
    expect((await cloud.run(deployments, 'dev')).stdout).toContain('Nothing was deployed to dev yet.')
  })
})
