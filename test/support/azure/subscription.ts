/** Answers of the Azure CLI about a subscription that has everything, by file of the stand-in. */
export const SUBSCRIPTION = {
  'bicep-version.json': 'Bicep CLI version 0.49.2 (a1b2c3d4e5)',
  'regions.json': [{ name: 'westeurope' }, { name: 'northeurope' }],
  'zonal-regions.json': [{ name: 'West Europe' }],
  'models.json': [
    {
      name: 'gpt-5.4-mini',
      version: '2026-03-17',
      ends: '2999-01-01T00:00:00Z',
      skus: [{ name: 'GlobalStandard', deprecationDate: '2999-01-01T00:00:00Z' }],
    },
  ],
  'usage.json': [{ name: { value: 'OpenAI.GlobalStandard.gpt-5.4-mini' }, currentValue: 100, limit: 500 }],
  'sizes.json': [
    {
      supportedServerEditions: [
        { name: 'Burstable', supportedServerSkus: [{ name: 'Standard_B2ms', supportedHaMode: [] }] },
        {
          name: 'GeneralPurpose',
          supportedServerSkus: [
            { name: 'Standard_D2ds_v5', supportedHaMode: ['SameZone', 'ZoneRedundant'] },
            { name: 'Standard_D4ds_v5', supportedHaMode: ['SameZone', 'ZoneRedundant'] },
          ],
        },
      ],
    },
  ],
  'template-values.json': {
    dev: valuesOf('Standard_B2ms', false),
    staging: valuesOf('Standard_D2ds_v5', false),
    production: valuesOf('Standard_D4ds_v5', true),
  },
}

function valuesOf(skuName: string, isZonal: boolean): object {
  const shape = { functionApp: { zoneRedundant: isZonal }, postgres: { skuName, highAvailability: isZonal } }
  const name = 'gpt-5.4-mini'
  const model = { name, model: name, version: '2026-03-17', sku: 'GlobalStandard', capacity: 100 }
  return { shape: { value: shape }, modelDeployments: { value: [model] } }
}
