using '../../../bicep/roles-deploy-sites.bicep'

param appName = 'app'
param migratorName = 'migrator'
param deployers = [
  { principalId: '00000000-0000-0000-0000-00000000000d', principalType: 'ServicePrincipal', readsGroup: true }
  { principalId: '', principalType: 'Group', readsGroup: true }
  { principalId: '00000000-0000-0000-0000-00000000000D', principalType: 'ServicePrincipal', readsGroup: false }
]
