import { changingContext } from './deploy/process-context.ts'
import { main } from './rollback/main.ts'

process.exitCode = await main(process.argv.slice(2), changingContext())
