import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { isRefused } from '../../scripts/deploy/refused.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)] as const
beforeEach(async () => {
  cloud = await createCloud()
  await cloud.run(deploy, 'staging', '--yes')
  cloud.source.commit = SECOND
  cloud.apps.asked.length = 0
})

const idOf = (number: number) => `m${String(number).padStart(3, '0')}`
const asked = () => cloud.apps.asked.map(({ action }) => action)

describe('unfinished missions', () => {
  it('are all read by the new package on the migrator before anything is migrated', async () => {
    cloud.apps.missions.push(...Array.from({ length: 25 }, (_, number) => ({ id: idOf(number) })))
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('25 unfinished missions, and') })
    expect(asked().slice(0, 5)).toEqual(['status', 'check', 'check', 'check', 'expand'])
    expect(cloud.apps.asked.slice(1, 4).map(({ after }) => after)).toEqual([undefined, idOf(9), idOf(19)])
  })

  it('that it can not read keep it out with exit code 3, and are named', async () => {
    cloud.apps.missions.push(
      ...Array.from({ length: 30 }, (_, number) => ({
        id: idOf(number),
        ...(number < 5 ? {} : { why: `it has an event of version ${number}` }),
      })),
    )
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(3)
    expect(stderr).toContain("can't read 25 of 30 unfinished missions:")
    expect(stderr).toContain('  m005: it has an event of version 5\n')
    expect(stderr.match(/^ {2}m\d+: /gm)).toHaveLength(20)
    expect(stderr).toContain('  and 5 more')
    expect(stderr).toContain('The app and the database are as they were.')
    expect(asked()).not.toContain('expand')
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect((await cloud.run(deploy, 'staging', '--yes', '--skip-check')).code).toBe(0)
    expect(cloud.apps.running()).toBe(cloud.packageOf(SECOND))
  })
})

describe('what both packages would do', () => {
  const fetched = async () =>
    (await cloud.calls()).filter((line) => /blob download --name packages\//.test(line)).length

  it('is compared as whoever is signed in, and that this was not possible is said', async () => {
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /was not compared: as ada@example\.com, .*ECONNREFUSED.* Another login: --database-user/,
      ),
    })
    expect(await fetched()).toBe(1)
  })

  it('is not known where the package of before can not be fetched', async () => {
    await cloud.fail('blob download --name packages/')
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('was not compared: as ada@') })
  })

  it('is a condition where a login is named', async () => {
    const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes', '--json', '--database-user', 'ada')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /could not be looked at as ada: .*ECONNREFUSED[^]*Nothing was changed[^]*leave --database-user out\./,
    )
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
  })

  it('keeps a package out as one that can not read them does: exit code 3', () => {
    for (const code of ['check_failed', 'missions_unreadable'])
      expect(isRefused(new TerminalError(code, ''))).toBe(true)
    expect(isRefused(new TerminalError('check_impossible', ''))).toBe(false)
  })

  it('is left out with --skip-check', async () => {
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes', '--skip-check', '--database-user', 'ada')
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('left out, as --skip-check says'),
    })
    expect(await fetched()).toBe(0)
    expect(asked()).not.toContain('check')
  })
})
