import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { version } from '../../src/version.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

const NETWORK = 'ERROR: The request may be blocked by network rules of storage account.'
const RIGHT = 'ERROR: You do not have the required permissions needed to perform this operation.'
const [FIRST, SECOND] = ['a'.repeat(40), 'b'.repeat(40)] as const

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
  await cloud.run(deploy, 'staging', '--yes')
  cloud.source.commit = SECOND
  cloud.slept.length = 0
})

const waits = () => cloud.slept.filter((ms) => ms >= 10_000)

describe('whom storage keeps out before the infrastructure', () => {
  it.each([
    ['from the lock by the network', 'lock.json', NETWORK, 'the network keeps this machine out of stdata'],
    ['from the lock by a missing right', 'lock.json', RIGHT, 'whoever is signed in may not use stdata'],
    ['from the records', 'download-batch', RIGHT, 'whoever is signed in may not use stdata'],
  ])('%s is told and not waited for, and what depends on it comes afterwards', async (_, match, refusal, words) => {
    await cloud.fail(match, refusal)
    const before = (await cloud.calls()).length
    const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(words)
    expect(waits()).toEqual([])
    const calls = (await cloud.calls()).slice(before)
    const at = (text: string) => calls.findLastIndex((line) => line.includes(text))
    const order = ['sub create', 'download-batch', 'blob download --name packages/', '--name func-migrator --src']
    expect(order.map(at)).toEqual(order.map(at).toSorted((a, b) => a - b))
    expect(order.map(at)).not.toContain(-1)
    expect(calls.filter((line) => line.includes('blob upload') && line.includes('lock.json'))).toHaveLength(
      match === 'lock.json' ? 2 : 1,
    )
    expect(at('blob delete --name staging/lock.json')).toBeGreaterThan(0)
    expect((await cloud.run(deployments, 'staging')).stdout.trim().split('\n')).toHaveLength(2)
  })

  it('goes back to the package of before all the same, where the new one does not work', async () => {
    await cloud.fail('sub what-if')
    await cloud.run(deploy, 'staging', '--yes')
    cloud.apps.broken.add(cloud.packageOf(SECOND))
    await cloud.fail('lock.json', NETWORK)
    const { stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect(stderr).toContain(`It went back to ${version} (${FIRST.slice(0, 12)})`)
  })

  it('meets the lock of somebody else after it', async () => {
    await cloud.fail('lock.json', NETWORK)
    const creation = await cloud.hold('sub create')
    const running = cloud.run(deploy, 'staging', '--yes')
    await expect.poll(creation.pid).toBeGreaterThan(0)
    await cloud.setBlob('staging/lock.json', '{"id":"x","who":"grace","machine":"hers","since":"then"}')
    await creation.go()
    const { code, stderr } = await running
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('is being changed by grace') })
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect((await cloud.run(deployments, 'staging')).stdout.trim().split('\n')).toHaveLength(1)
  })

  it('and after it too, goes on from a machine in the network, with the whole command', async () => {
    await cloud.fail('lock.json', NETWORK, 100)
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes', '--take-over', '--skip-check', '--wait', '5')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('From one in it: npm run deploy -- staging --skip-infra --skip-check --wait 5\n'),
    })
    expect(stderr).toContain('The package is not stored.')
    expect(stderr).not.toMatch(/ALLOWED_ADDRESSES|to try again/)
    expect(waits()).toEqual([])
  })

  it.each([
    ['the network, at once', NETWORK, 0],
    ['a missing right, which may come yet', RIGHT, 7],
  ])('does not get in with --skip-infra: %s', async (_, refusal, times) => {
    await cloud.fail('lock.json', refusal, 100)
    const { code, stderr } = await cloud.run(deploy, 'staging', '--skip-infra')
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('Nothing was changed.') })
    expect(waits()).toHaveLength(times)
  })
})
