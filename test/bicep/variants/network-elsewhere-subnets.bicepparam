using '../../../bicep/main.bicep'
extends 'network-elsewhere.bicepparam'

param extraSubnets = [{ name: 'runners', addressPrefix: '10.40.3.0/24' }]
