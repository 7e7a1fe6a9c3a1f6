using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param existing = {
  postgres: '/subscriptions/00000000-0000-0000-0000-000000000003/resourceGroups/data/providers/Microsoft.DBforPostgreSQL/flexibleServers/others'
}
