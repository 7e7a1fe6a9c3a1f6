import { cancel } from '../src/api/missions/cancel.ts'
import { endpoint, route } from './http-endpoint.ts'

route('cancel-mission', 'POST', 'api/v1/missions/{id:guid}/cancel', endpoint(cancel))
