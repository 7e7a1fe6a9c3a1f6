import { create, drill, list, prune, read, verify } from '../src/api/admin/backups.ts'
import { adminEndpoint, route } from './http-endpoint.ts'

// Names do not begin with admin: the host keeps that path for itself.
route('list-backups', 'GET', 'api/v1/admin/backups', adminEndpoint(list))
route('create-backup', 'POST', 'api/v1/admin/backups', adminEndpoint(create))
route('get-backup', 'GET', 'api/v1/admin/backups/{name}', adminEndpoint(read))
route('verify-backup', 'POST', 'api/v1/admin/backups/{name}/verify', adminEndpoint(verify))
route('drill-backup', 'POST', 'api/v1/admin/backups/{name}/drill', adminEndpoint(drill))
route('prune-backups', 'POST', 'api/v1/admin/backups/prune', adminEndpoint(prune))
