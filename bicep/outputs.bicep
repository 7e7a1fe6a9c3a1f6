import { Values } from 'types.bicep'

@description('What commands and azd have to know of this environment, by the names of the outputs.')
param environment Values

@description('The same. The deployment of this module has a fixed name and is the last one: Reader on the resource group reads there what the newest deployment that succeeded has made.')
output environment Values = environment
