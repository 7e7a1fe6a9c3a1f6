import { file, files } from '../src/api/missions/files.ts'
import { endpoint, route } from './http-endpoint.ts'

// The host tries routes in the order of function names, and the catch-all matches an empty rest too: it must come second.
route('mission-files', 'GET', 'api/v1/missions/{id:guid}/files', endpoint(files))
route('mission-files-content', 'GET', 'api/v1/missions/{id:guid}/files/{*name}', endpoint(file))
