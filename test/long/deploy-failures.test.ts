import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { version } from '../../src/version.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)] as const

/** Each stage, what fails in it, what is said, and which package runs afterwards. */
const FAILURES: [stage: string, fail: (cloud: Cloud) => Promise<void> | void, state: string, runs: string][] = [
  ['preflight', (to) => to.fail('account show'), 'Nothing was changed.', FIRST],
  ['preflight', (to) => to.fail('download-batch'), 'Nothing was changed.', FIRST],
  ['what-if', (to) => to.fail('sub what-if'), 'Nothing was changed.', FIRST],
  ['infrastructure', (to) => to.fail('sub create'), 'app and the database are as they were', FIRST],
  ['package', (to) => to.fail('blob list'), 'package is not stored', FIRST],
  ['package', (to) => to.fail('--metadata sha256'), 'package is not stored', FIRST],
  [
    'api-key',
    (to) => to.fail('secret show'),
    'The package is stored. The app and the database are as they were.',
    FIRST,
  ],
  ['api-key', failRestart, 'The package is stored. The app and the database are as they were.', FIRST],
  [
    'migrator',
    (to) => to.fail('--name func-migrator --src'),
    'The app and the database are as they were. The migrator may have the new package.',
    FIRST,
  ],
  [
    'migrator',
    (to) => to.fail('keys list'),
    'The app and the database are as they were. The migrator may have the new package.',
    FIRST,
  ],
  ['check', refuse('check'), 'The app and the database are as they were. The migrator has', FIRST],
  ['expand', refuse('expand'), 'The schema may be expanded', FIRST],
  ['drain', refuse('drain'), 'on the expanded schema', FIRST],
  ['publish', (to) => to.fail('--name func-app --src'), `It went back to ${version}`, FIRST],
  ['resume', refuse('resume'), 'takes missions up again when the drain is over', SECOND],
  ['contract', refuse('all'), 'that only clean up after the old one are pending', SECOND],
  ['publish', (to) => to.fail('record.json'), 'Nothing was published', FIRST],
  // The first says that it has not ended.
  ['record', (to) => to.fail('record.json', 'ERROR: no', 1, 1), 'whether that is recorded', SECOND],
]

/** The app does not know its key any more, so that it has to be started anew. */
async function failRestart(to: Cloud): Promise<void> {
  await rm(join(to.cwd, '../cloud/resolved'))
  await to.fail('functionapp restart')
}

function refuse(action: string): (cloud: Cloud) => void {
  return ({ apps }) =>
    void apps.refusals.set(action, [{ status: 409, body: { detail: 'migration_failed: on purpose' } }])
}

describe('a deployment that fails', () => {
  it.each(FAILURES)('at %s says how things stand, and the next run repairs it', async (stage, fail, state, runs) => {
    await cloud.run(deploy, 'staging', '--yes')
    cloud.source.commit = SECOND
    await fail(cloud)
    const failed = await cloud.run(deploy, 'staging', '--yes')
    expect(failed.code).toBe(1)
    expect(failed.stderr).toContain(`The deployment failed at ${stage}: `)
    expect(failed.stderr).toContain(state)
    expect(failed.stderr).toContain('npm run deploy -- staging')
    expect(failed.stderr).toMatch(/Everything that was done: \.taskforce\/deploy-staging-\w+\.log/)
    expect(cloud.apps.running()).toBe(cloud.packageOf(runs))
    // Whatever failed, nobody is kept from working; a drain that could not be cleared ends by itself.
    if (stage !== 'resume') expect(cloud.apps.database.drain).toBeNull()
    const repaired = await cloud.run(deploy, 'staging', '--yes')
    expect(repaired).toMatchObject({ code: 0, stderr: '' })
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
    expect(cloud.apps.database.drain).toBeNull()
  })

  it('in its infrastructure, as the first one, does not lock out the next', async () => {
    await cloud.fail('sub create')
    expect((await cloud.run(deploy, 'staging', '--yes')).stderr).toContain('The deployment failed at infrastructure')
    const unknown = await cloud.run(deployments, 'staging')
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no staging in this subscription'),
    })
    const repaired = await cloud.run(deploy, 'staging', '--yes')
    expect(repaired).toMatchObject({ code: 0, stderr: '' })
    expect(repaired.stdout).toContain('no finished deployment')
  })

  it('in its infrastructure leaves the way to go back, and to deploy without it', async () => {
    await cloud.run(deploy, 'staging', '--yes')
    cloud.source.commit = SECOND
    await cloud.run(deploy, 'staging', '--yes')
    await cloud.fail('sub create')
    expect((await cloud.run(deploy, 'staging', '--yes')).code).toBe(1)
    expect((await cloud.run(deployments, 'staging')).stdout.trim().split('\n')).toHaveLength(2)
    expect(await cloud.run(rollback, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect(await cloud.run(deploy, 'staging', '--yes', '--skip-infra')).toMatchObject({ code: 0, stderr: '' })
  })

  it('between the API key and the restart that makes it known leaves the restart to the next run', async () => {
    await cloud.fail('functionapp restart')
    expect((await cloud.run(deploy, 'staging', '--yes')).stderr).toContain('The deployment failed at api-key')
    const before = (await cloud.calls()).length
    const restarts = async (from: number) =>
      (await cloud.calls()).slice(from).filter((line) => line.includes('restart'))
    expect((await cloud.run(deploy, 'staging', '--yes')).code).toBe(0)
    expect(await restarts(before)).toHaveLength(1)
    const after = (await cloud.calls()).length
    expect((await cloud.run(deploy, 'staging', '--yes')).code).toBe(0)
    expect(await restarts(after)).toEqual([])
  })

  it('to resume was not tested, so it is no package to go back to', async () => {
    await cloud.run(deploy, 'staging', '--yes')
    cloud.source.commit = SECOND
    refuse('resume')(cloud)
    await cloud.run(deploy, 'staging', '--yes')
    expect((await cloud.run(deployments, 'staging')).stdout).toMatch(/^→ .*b{12}  deploy  failed/m)
    cloud.apps.broken.add(cloud.packageOf(SECOND))
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toContain(`It went back to ${version} (${FIRST.slice(0, 12)})`)
  })

  it("leaves somebody else's drain alone and does not publish under it", async () => {
    await cloud.run(deploy, 'staging', '--yes')
    cloud.source.commit = SECOND
    cloud.apps.database.drain = { by: 'restore', reason: 'a restore of x' }
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('drained by restore: a restore of x'),
    })
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect(cloud.apps.database.drain).toMatchObject({ by: 'restore' })
  })

  it('gives up on refusals that stay, and says what may be the reason', async () => {
    await cloud.fail('keys list', 'ERROR: 403 Forbidden', 100)
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(1)
    expect(stderr).toContain('a role is missing, or this machine is outside the virtual network')
    expect(cloud.slept.reduce((sum, ms) => sum + ms, 0)).toBe(300_000)
  })

  it.each([
    ['linux', 'no program of that name'],
    // There cmd.exe starts, and it is what does not find az.
    ['win32', "'az.cmd' is not recognized as an internal or external command,\noperable program or batch file."],
  ] as const)('without the Azure CLI says where to get it: %s', async (platform, words) => {
    const shell = join(cloud.cwd, 'cmd.exe')
    await writeFile(shell, `#!/bin/sh\ncat >&2 <<'END'\n${words}\nEND\nexit 1\n`)
    await chmod(shell, 0o755)
    const PATH = platform === 'win32' ? `${cloud.cwd}:/bin:/usr/bin` : ''
    const { code, stderr } = await cloud.run(
      (given, context) => deploy(given, { ...context, platform, env: { PATH } }),
      'staging',
      '--yes',
    )
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('https://aka.ms/azure-cli') })
  })

  it('by a no to what would change changes nothing, and the next that is confirmed goes on', async () => {
    await cloud.run(deploy, 'staging', '--yes')
    cloud.source.commit = SECOND
    const before = (await cloud.calls()).length
    cloud.typed.keys = 'n'
    const { code, stdout, stderr } = await cloud.run(deploy, 'staging')
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('Nothing was changed.') })
    // Lines of a stage that takes long would come into the question.
    expect(stdout).toMatch(/✔ what-if[^]*Staging would be changed as shown above\. Go on\?/)
    expect((await cloud.calls()).slice(before).join('\n')).not.toMatch(/sub create|config-zip|\.zip --metadata/)
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    cloud.typed.keys = 'y'
    expect((await cloud.run(deploy, 'staging')).code).toBe(0)
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })
})
