import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
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
})
