import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import type { DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { version } from '../../src/version.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
const [FIRST, SECOND, THIRD] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)] as const
const folder = () => join(cloud.cwd, '../cloud/blobs/staging')
beforeEach(async () => {
  cloud = await createCloud()
})

async function deployed(...commits: string[]): Promise<void> {
  for (const commit of commits) {
    cloud.source.commit = commit
    expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
  }
}

/** The package of the next deployment is built, so that its hash is known, and does not work. */
async function willBreak(commit: string): Promise<void> {
  cloud.source.commit = commit
  await cloud.fail('sub what-if')
  await cloud.run(deploy, 'staging', '--yes')
  cloud.apps.broken.add(cloud.packageOf(commit))
}

/** Each as it lies there, the newest first. */
async function stored(): Promise<(DeploymentRecord & { name: string })[]> {
  const names = (await readdir(folder())).filter((name) => name.startsWith('2')).sort()
  const read = names.map(async (name) => ({
    name,
    ...(JSON.parse(await readFile(join(folder(), name), 'utf8')) as DeploymentRecord),
  }))
  return (await Promise.all(read)).toReversed()
}

const brief = ({ kind, outcome, runs, commit }: DeploymentRecord) =>
  `${kind} of ${commit[0]} ${outcome}${runs ? ', runs' : ''}`

async function marked(): Promise<{ line: string | undefined; stderr: string }> {
  const { stdout, stderr } = await cloud.run(deployments, 'staging')
  return { line: stdout.split('\n').find((line) => line.startsWith('→')), stderr }
}

describe('a record', () => {
  it('lies there before the package is published, and is overwritten when the run ends', async () => {
    await deployed(FIRST, SECOND)
    for (const [command, commit] of [
      [deploy, THIRD],
      [rollback, SECOND],
    ] as const) {
      cloud.source.commit = commit
      const publication = await cloud.hold('--name func-app --src')
      const running = cloud.run(command, 'staging', '--yes')
      await expect.poll(publication.pid).toBeGreaterThan(0)
      const [pending] = await stored()
      expect(pending).toMatchObject({ commit, outcome: 'failed', runs: true, reason: 'not ended' })
      await publication.go()
      expect((await running).code).toBe(0)
      const [ended] = await stored()
      expect(ended).toMatchObject({ name: pending?.name, commit, outcome: 'deployed', runs: true })
      await rm(join(folder(), '../../held.pid'))
    }
  })

  it('comes after the newest there is, whose clock may be ahead, which is said', async () => {
    await deployed(FIRST)
    const [first] = await stored()
    if (first === undefined) throw new Error('nothing was recorded')
    await rm(join(folder(), first.name))
    const startedAt = new Date(Date.now() + 3_600_000).toISOString()
    await writeFile(join(folder(), '2-ahead.json'), JSON.stringify({ ...first, startedAt }))
    cloud.source.commit = SECOND
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('was begun in the future') })
    expect((await marked()).line).toContain(SECOND.slice(0, 12))
    await cloud.run(rollback, 'staging', '--yes')
    expect((await marked()).line).toMatch(/a{12}  rollback/)
  })

  it('that is damaged or of another version is named, and keeps a rollback from guessing', async () => {
    await deployed(FIRST, SECOND)
    await mkdir(folder(), { recursive: true })
    await writeFile(join(folder(), '29991129T000000Z-9.9.9-x.json'), '{"kind":"canary"}')
    for (const command of [deploy, deployments]) {
      const { code, stderr } = await cloud.run(command, 'staging', ...(command === deploy ? ['--yes'] : []))
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining('staging/29991129T000000Z-9.9.9-x.json is no record that can be read'),
      })
    }
    expect(await cloud.run(rollback, 'staging', '--yes')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("newer records can't be read"),
    })
    expect((await cloud.run(rollback, 'staging', '--yes', '--to', FIRST)).code).toBe(0)
  })
})

describe('what runs after a failure', () => {
  it('is the package of before, and so it is recorded, where it was put back and does not work either', async () => {
    await deployed(FIRST)
    await willBreak(SECOND)
    cloud.apps.broken.add(cloud.packageOf(FIRST))
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toMatch(
      /The package of before, \S+, is there again, and its smoke test does not pass either\. Going back to \S+ failed at smoke/,
    )
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect((await stored()).map(brief)).toEqual([
      'rollback of a failed, runs',
      'deploy of b failed',
      'deploy of a deployed, runs',
    ])
    expect((await marked()).line).toMatch(/a{12}  rollback  failed/)
  })

  it('is the old one where neither package could be published', async () => {
    await deployed(FIRST, SECOND)
    cloud.source.commit = THIRD
    await cloud.fail('--name func-app --src', 'ERROR: no', 2)
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toContain('No package is known to have been published: the app should run what it ran before')
    const [back, failed] = await stored()
    expect([back, failed].map((one) => one && brief(one))).toEqual(['rollback of b failed', 'deploy of c failed'])
  })

  it('is the new one where only going back could not be published', async () => {
    await deployed(FIRST)
    await willBreak(SECOND)
    const publication = await cloud.hold('--name func-app --src')
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(publication.pid).toBeGreaterThan(0)
    await cloud.fail('--name func-app --src')
    await publication.go()
    expect((await running).stderr).toContain('may be there again or not')
    expect((await stored()).map(brief)).toEqual([
      'rollback of a failed',
      'deploy of b failed, runs',
      'deploy of a deployed, runs',
    ])
  })

  it("is the old one where somebody else's drain came before the publication", async () => {
    await deployed(FIRST)
    cloud.source.commit = SECOND
    const standing = { ...cloud.apps.database, version, codeRevision: CODE_REVISION, pending: [], drift: [] }
    const others = { by: 'restore', reason: 'a restore of x' }
    // The second is the one within the publication.
    cloud.apps.refusals.set('drain', [
      { status: 200, body: standing },
      { status: 200, body: { ...standing, drain: others } },
    ])
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toContain('failed at publish: The deployment is drained by restore')
    expect(stderr).toContain('Nothing was published: the app is as it was')
    expect((await stored()).map(brief)).toEqual(['deploy of b failed', 'deploy of a deployed, runs'])
  })
})

describe('what a deployment that fails goes back to', () => {
  it('is what ran when it began, though a newer one was tested', async () => {
    await deployed(FIRST, SECOND)
    // By hand, where nobody knows whether it works: what answers is what runs.
    cloud.apps.ill.left = 7
    const failed = await cloud.run(rollback, 'staging', '--yes')
    expect(failed.stderr).toContain('failed at smoke')
    // The same command would not go on from there.
    expect(failed.stderr).toContain(
      'To what was there before that package came for the first time: npm run rollback -- staging\n',
    )
    expect(failed.stderr).not.toContain('To go on from there')
    cloud.apps.ill.left = 0
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    await willBreak(THIRD)
    cloud.apps.asked.length = 0
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toContain(`It went back to ${version} (${FIRST.slice(0, 12)}), which was tested and runs.`)
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
  })

  it('and the oldest code that the schema has to work with meanwhile is of what runs, or of that', async () => {
    await deployed(FIRST)
    cloud.source.codeRevision = CODE_REVISION + 1
    await deployed(SECOND)
    cloud.apps.ill.left = 7
    await cloud.run(rollback, 'staging', '--yes')
    cloud.apps.ill.left = 0
    cloud.apps.asked.length = 0
    await deployed(THIRD)
    expect(cloud.apps.asked.find(({ action }) => action === 'expand')).toMatchObject({ codeRevision: CODE_REVISION })
  })

  it('is nothing where records that may be newer can not be read and the app does not say what runs', async () => {
    await deployed(FIRST, SECOND)
    await willBreak(THIRD)
    const name = '29991129T000000Z-9.9.9-x.json'
    await writeFile(join(folder(), name), '{"kind":"canary"}')
    cloud.apps.broken.add(cloud.packageOf(SECOND))
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toContain(`Nothing was taken back by itself, since records that may be newer than the one to go to`)
    expect(stderr).toContain(`npm run rollback -- staging --to ${SECOND.slice(0, 12)}`)
    expect(cloud.apps.running()).toBe(cloud.packageOf(THIRD))
    // Which the app itself has told of in the usual case.
    cloud.apps.broken.delete(cloud.packageOf(SECOND))
    expect((await cloud.run(rollback, 'staging', '--yes', '--to', SECOND.slice(0, 12))).code).toBe(0)
    expect((await cloud.run(deploy, 'staging', '--yes')).stderr).toContain('It went back to')
  })
})

describe('what runs', () => {
  it('is asked of the app, and marked, where the records say something else', async () => {
    await deployed(FIRST, SECOND, THIRD)
    // By somebody without these scripts.
    const published = join(cloud.cwd, '../cloud/published/func-app.zip')
    const [, second] = await stored()
    await writeFile(published, await readFile(join(folder(), '..', second?.package.blob ?? '')))
    const { line, stderr } = await marked()
    expect(line).toContain(SECOND.slice(0, 12))
    expect(stderr).toMatch(
      /answers with \S+ \(b{12}\) of \S+, which is taken for what runs; the records say \S+ \(c{12}\)/,
    )
    expect((await cloud.run(rollback, 'staging', '--yes')).code).toBe(0)
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
  })

  it('is said where no record tells of it, and a rollback goes to the newest good one', async () => {
    await deployed(FIRST, SECOND)
    cloud.apps.late.set('/health', 2)
    const { line, stderr } = await marked()
    expect({ line, stderr }).toEqual({
      line: undefined,
      stderr: expect.stringContaining('a package that no record tells of (build of before)'),
    })
    expect((await cloud.run(rollback, 'staging', '--yes')).code).toBe(0)
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })

  it('is as the records say where the app does not answer, which is said', async () => {
    await deployed(FIRST, SECOND)
    cloud.apps.broken.add(cloud.packageOf(SECOND))
    const { line, stderr } = await marked()
    expect(line).toContain(SECOND.slice(0, 12))
    expect(stderr).toContain('does not say what runs (503)')
    expect((await cloud.run(rollback, 'staging', '--yes')).code).toBe(0)
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
  })
})
