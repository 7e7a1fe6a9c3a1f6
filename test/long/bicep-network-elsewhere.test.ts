import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType } from '../bicep/environments.ts'
import { deployedBy } from '../bicep/variants.ts'

const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('a network that is there already', { timeout: 120_000 }, () => {
  let compiler: Compiler
  beforeAll(() => {
    compiler = startCompiler(bicep ?? '')
  })
  afterAll(() => compiler.close())

  it('has its private zones where it says, in another subscription too', async () => {
    const { resources } = await deployedBy(compiler, 'test/bicep/variants/network-elsewhere.bicepparam')
    expect(ofType(resources, 'Microsoft.Network/privateDnsZones')).toEqual([])
    const groups = ofType(resources, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups')
    expect(groups).toHaveLength(13)
    for (const { properties } of groups) {
      // As an id, or as what makes one.
      expect(JSON.stringify(properties)).toMatch(
        /00000000-0000-0000-0000-000000000005(\/resourceGroups\/|', ')names(\/|')/,
      )
    }
  })

  it.each([
    ['network-elsewhere-further', /furtherNetworkIds would be ignored/],
    ['network-elsewhere-subnets', /extraSubnets would be ignored/],
    ['network-elsewhere-by-name', /not the id of a resource group/],
    ['network-none-further', /furtherNetworkIds would be ignored/],
  ])('is refused before anything is made: %s', async (name, why) => {
    await expect(deployedBy(compiler, `test/bicep/variants/${name}.bicepparam`)).rejects.toThrow(why)
  })
})
