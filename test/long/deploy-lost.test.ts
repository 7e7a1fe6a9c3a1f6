import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { version } from '../../src/version.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'
import { commitOf, deployCommits } from '../support/azure/deployed.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
  await deployCommits(cloud, ['a', 'b'])
  cloud.source.commit = commitOf('c')
})

const runs = () => ['a', 'b', 'c'].find((letter) => cloud.packageOf(commitOf(letter)) === cloud.apps.running())
const PUBLICATION = '--name func-app --src'
const toB = `npm run rollback -- staging --to ${commitOf('b').slice(0, 12)}`

/** What a person does who types the command that is printed. */
async function type(line: string) {
  const [, words = ''] = /^npm run rollback -- (.*)$/.exec(line) ?? []
  return cloud.run(rollback, ...words.split(' '), '--yes')
}

describe('a command that is printed goes no further back than what it is printed for', () => {
  it('where the package that is put back does not work either, none is printed', async () => {
    const publication = await cloud.hold(PUBLICATION)
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(publication.pid).toBeGreaterThan(0)
    for (const letter of ['b', 'c']) cloud.apps.broken.add(cloud.packageOf(commitOf(letter)))
    await publication.go()
    const { stderr } = await running
    expect(stderr).toContain(
      `The package of before, ${version}, is there again, and its smoke test does not pass either.`,
    )
    expect(stderr).toContain('npm run doctor')
    expect(stderr).not.toContain('npm run rollback')
    expect(runs()).toBe('b')
  })

  it('where the answer is lost while a package is put back', async () => {
    await cloud.lose(PUBLICATION, 1)
    // More than the look before and the smoke test ask.
    cloud.apps.late.set('/health', 9)
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toContain(`The package of before, ${version}, may be there again or not`)
    expect(stderr).toContain(`To try that again: ${toB}\n`)
    expect(runs()).toBe('b')
    expect(await type(toB)).toMatchObject({ code: 3, stderr: expect.stringContaining('is what runs') })
    expect(runs()).toBe('b')
  })

  it('where the answer is lost in a rollback by hand', async () => {
    await deployCommits(cloud, ['c'])
    await cloud.lose(PUBLICATION)
    const { stderr } = await cloud.run(rollback, 'staging', '--yes')
    expect(stderr).toContain('The package may be there or not')
    expect(stderr).toContain(`To go on from there: ${toB}\n`)
    expect((await type(toB)).code).toBe(3)
    expect(runs()).toBe('b')
  })
})

it('a rollback that fails by what nobody expected says how things stand too', async () => {
  const packages = join(cloud.cwd, '.taskforce/packages')
  await rm(packages, { recursive: true })
  await writeFile(packages, '')
  const { code, stderr } = await cloud.run(rollback, 'staging', '--yes')
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The rollback failed at package: '),
  })
  expect(stderr).toContain('Nothing was changed.')
  expect(stderr).toMatch(/Everything that was done: \.taskforce\/rollback-staging-/)
})

it('a lock that goes while it is looked at is not stored over one that comes meanwhile', async () => {
  const lock = 'staging/lock.json'
  await cloud.setBlob(lock, JSON.stringify({ id: 'x', who: 'grace', machine: 'hers', since: 'now' }))
  const look = await cloud.hold(`download --name ${lock}`)
  const running = cloud.run(deploy, 'staging', '--yes')
  await expect.poll(look.pid).toBeGreaterThan(0)
  await rm(join(cloud.cwd, '../cloud/blobs', lock))
  await look.go()
  expect((await running).code).toBe(0)
  expect(
    (await cloud.calls()).filter((line) => line.includes(`--name ${lock}`) && line.includes('--overwrite true')),
  ).toEqual([])
})
