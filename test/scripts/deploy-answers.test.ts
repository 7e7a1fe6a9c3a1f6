import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const creations = async () => (await cloud.calls()).filter((line) => line.includes('sub create')).length

describe('what the infrastructure says of itself', () => {
  beforeEach(async () => {
    await cloud.set('groups.json', { 'rg-taskforce-staging': 'nonsense' })
  })

  it('is asked for again while it is empty, and never taken for a first deployment', async () => {
    await cloud.set('silences.json', 100)
    const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('taskforce-outputs of rg-taskforce-staging is there and has no outputs'),
    })
    expect(stderr).toContain('Nothing was changed.')
    // The loop would read nothing there, and give nothing.
    expect(stderr).toContain('without the loop')
    expect(stderr).toContain('--query properties.parameters.fromShell.value')
    expect(stdout).toContain('once more in 2 s')
    expect(cloud.slept).toEqual([2_000, 5_000, 10_000, 15_000])
    expect(await creations()).toBe(0)
  })

  it('is taken once it is there', async () => {
    await cloud.set('groups.json', {})
    expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    await cloud.set('silences.json', 3)
    const { code, stdout } = await cloud.run(deployments, 'staging')
    expect({ code, lines: stdout.match(/^→ /gm) }).toEqual({ code: 0, lines: ['→ '] })
    expect(cloud.slept).toEqual(expect.arrayContaining([2_000, 5_000, 10_000]))
  })

  it.each([
    [
      'is something else',
      (to: Cloud) => to.set('groups.json', { 'rg-taskforce-staging': 'nonsense' }),
      /answers something else/,
    ],
    [
      'can not be read',
      (to: Cloud) => to.fail('deployment group show', 'ERROR: (InternalServerError) x'),
      /InternalServerError/,
    ],
  ])('and where it %s, nothing is made', async (_, make, words) => {
    await make(cloud)
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(words) })
    expect(await creations()).toBe(0)
  })
})

describe('who is signed in', () => {
  it.each([
    ['nobody', "ERROR: Please run 'az login' to setup account.", /Nobody is signed in to Azure\.[^]*az login/],
    ['somebody, but az fails', 'Traceback\nPermissionError: ~/.azure/azureProfile.json', /PermissionError: ~\/\.azure/],
  ])('%s', async (_, said, words) => {
    await cloud.fail('account show', said)
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(words) })
    expect(stderr.includes('Nobody is signed in')).toBe(said.includes('az login'))
  })

  it('somebody, but in another subscription than was said: how to change it can be typed as it is', async () => {
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes', '--subscription', 'Pay as you go')
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('az account set --subscription "Pay as you go"\n'),
    })
  })
})
