import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const creations = async () => (await cloud.calls()).filter((line) => line.includes('sub create'))

describe('an environment', () => {
  it('with a name of its own is one beside that of its shape', async () => {
    expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    const unknown = await cloud.run(deployments, 'staging', '--name', 'staging-2')
    expect(unknown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm run deploy -- staging --name staging-2'),
    })
    const named = await cloud.run(deploy, 'staging', '--name', 'staging-2', '--yes', '--json')
    expect(named).toMatchObject({ code: 0, stdout: expect.stringContaining('"environment":"staging-2"') })
    expect((await creations()).at(-1)).toMatch(/--name taskforce-staging-2-\d{14} .*bicep\/staging\.bicepparam/)
    for (const name of ['staging', 'staging-2']) {
      const { stdout } = await cloud.run(deployments, 'staging', '--name', name)
      expect(stdout.trim().split('\n')).toHaveLength(1)
    }
  })

  it('is not made anew in another shape by a name that is taken', async () => {
    await cloud.run(deploy, 'staging', '--name', 'blue', '--yes')
    const before = (await creations()).length
    for (const command of [deploy, rollback, deployments])
      expect(await cloud.run(command, 'dev', '--name', 'blue')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('blue is made as staging, not as dev'),
      })
    expect(await creations()).toHaveLength(before)
  })

  it('is not called like another shape', async () => {
    for (const command of [deploy, rollback, deployments])
      expect(await cloud.run(command, 'dev', '--name', 'production')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('one that is called production is of that shape, and no dev'),
      })
    expect((await cloud.run(deploy, 'production', '--name', 'production', '--dry-run')).code).toBe(0)
  })

  it('stays in its region, and is in no other by mistake', async () => {
    expect((await cloud.run(deploy, 'staging', '--yes', '--location', 'northeurope')).code).toBe(0)
    expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect((await cloud.run(deploy, 'staging', '--yes', '--location', 'North Europe')).code).toBe(0)
    for (const line of await creations()) expect(line).toContain('--location northeurope')
    cloud.env['AZURE_LOCATION'] = 'westeurope'
    const { code, stderr } = await cloud.run(deploy, 'staging', '--yes')
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("staging is in northeurope, and Azure can't move it to westeurope."),
    })
    expect(await creations()).toHaveLength(3)
  })

  it('whose first deployment came to no end stays where that was begun', async () => {
    await cloud.fail('sub create')
    expect((await cloud.run(deploy, 'staging', '--yes', '--location', 'northeurope')).stderr).toContain(
      'npm run deploy -- staging --location northeurope\n',
    )
    expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
    expect(await creations()).toHaveLength(2)
    for (const line of await creations()) expect(line).toContain('--location northeurope')
  })

  it.each(['staging_2', '', 'x'.repeat(25), 'Staging', '-a', 'a-', 'a--b'])('is not called %j', async (name) => {
    expect((await cloud.run(deploy, 'staging', '--name', name)).code).toBe(2)
  })
})
