import { beforeEach, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const actions = () => cloud.apps.asked.map(({ action }) => action)
const drains = () => actions().filter((action) => action === 'drain').length

it('the drain is renewed at each step of an exchange, and while one takes long', async () => {
  const publication = await cloud.hold('--name func-app --src')
  cloud.renewals.left = 3
  const running = cloud.run(deploy, 'staging', '--yes')
  // Of the two before the publication and three of the clock; as the exchange goes on, the clock's come first or second.
  await expect.poll(drains).toBe(5)
  expect(cloud.apps.running()).toBeUndefined()
  await publication.go()
  expect(await running).toMatchObject({ code: 0, stderr: '' })
  expect(actions().slice(actions().indexOf('drain'))).toEqual([...Array<string>(6).fill('drain'), 'resume', 'all'])
  expect(cloud.apps.database.drain).toBeNull()
})

it("the drain is not renewed once another run has the lock: that run's missions would stand still", async () => {
  const publication = await cloud.hold('--name func-app --src')
  const running = cloud.run(deploy, 'staging', '--yes')
  await expect.poll(publication.pid).toBeGreaterThan(0)
  await cloud.setBlob('staging/lock.json', JSON.stringify({ id: 'x', who: 'grace', machine: 'hers', since: 'now' }))
  cloud.apps.database.drain = null
  const before = drains()
  cloud.renewals.left = 3
  const looks = async () =>
    (await cloud.calls()).filter((line) => line.includes('download --name staging/lock.json')).length
  const seen = await looks()
  await publication.go()
  expect((await running).stderr).toContain('taken over by grace')
  expect(drains()).toBe(before)
  expect(cloud.apps.database.drain).toBeNull()
  expect(await looks()).toBeGreaterThan(seen)
})

it('a drain that somebody else has set meanwhile ends the deployment, and stays', async () => {
  const publication = await cloud.hold('--name func-app --src')
  const running = cloud.run(deploy, 'staging', '--yes')
  await expect.poll(drains).toBe(2)
  // Ours ran out, as it must not, or somebody took it off.
  cloud.apps.database.drain = { by: 'restore', reason: 'a restore of x' }
  await publication.go()
  const { code, stdout, stderr } = await running
  expect(stdout).not.toContain('the drain is over')
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('drained by restore') })
  expect(cloud.apps.database.drain).toMatchObject({ by: 'restore' })
})
