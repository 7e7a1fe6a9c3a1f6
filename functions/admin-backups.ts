import { create, list, prune, read, verify } from '../src/api/admin/backups.ts'
import { endpoint, route } from './http-endpoint.ts'

// Names do not begin with admin: the host keeps that path for itself.
route('list-backups', 'GET', 'api/v1/admin/backups', endpoint(list))
route('create-backup', 'POST', 'api/v1/admin/backups', endpoint(create))
route('get-backup', 'GET', 'api/v1/admin/backups/{name}', endpoint(read))
route('verify-backup', 'POST', 'api/v1/admin/backups/{name}/verify', endpoint(verify))
route('prune-backups', 'POST', 'api/v1/admin/backups/prune', endpoint(prune))
