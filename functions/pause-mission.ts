import { pause } from '../src/api/missions/pause.ts'
import { endpoint, route } from './http-endpoint.ts'

route('pause-mission', 'POST', 'api/v1/missions/{id:guid}/pause', endpoint(pause))
