using '../../../bicep/main.bicep'
extends 'domain.bicepparam'

param certificateThumbprint = '0123456789ABCDEF0123456789ABCDEF01234567'
