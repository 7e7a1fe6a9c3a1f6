using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param deployerSubject = 'repo:example/taskforce:environment:production'
