import { Values } from 'types.bicep'

@description('What commands and azd have to know of this environment, by the names of the outputs.')
param environment Values

@description('The same. The deployment of this module has a fixed name and is the last one: Reader on the resource group reads there what the newest deployment that succeeded has made.')
output environment Values = environment

@description('What the shell of that deployment gave to the parameter file.')
param fromShell Values

@description('The same: whoever deploys next would undo what they do not know of.')
output fromShell Values = fromShell
