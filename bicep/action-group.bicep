import { roleIds } from 'role-ids.bicep'
import { Tags } from 'types.bicep'

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('Who gets mail, beside users who are owners of the subscription themselves.')
param emails string[]

// There without alerts too: a budget that names roles alone may be refused.
resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-taskforce-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'taskforce'
    enabled: true
    #disable-next-line use-resource-id-functions // Azure takes the role's bare GUID here.
    armRoleReceivers: [{ name: 'owners', roleId: roleIds.owner, useCommonAlertSchema: true }]
    emailReceivers: [
      for (address, index) in emails: { name: 'mail-${index}', emailAddress: address, useCommonAlertSchema: true }
    ]
  }
}

@description('Resource id.')
output id string = group.id
