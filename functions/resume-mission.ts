import { resume } from '../src/api/missions/pause.ts'
import { endpoint, route } from './http-endpoint.ts'

route('resume-mission', 'POST', 'api/v1/missions/{id:guid}/resume', endpoint(resume))
