import { answer } from '../src/api/missions/answer.ts'
import { endpoint, route } from './http-endpoint.ts'

route('answer-question', 'POST', 'api/v1/missions/{id:guid}/answers', endpoint(answer))
