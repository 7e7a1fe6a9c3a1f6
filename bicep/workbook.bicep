import { Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name of the environment.')
param environmentName string

@description('Resource id of Application Insights.')
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'taskforce')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Taskforce ${environmentName}'
    category: 'workbook'
    sourceId: insightsId
    serializedData: string(loadJsonContent('workbook.json'))
  }
}
