import { main } from './deploy/main.ts'
import { changingContext } from './deploy/process-context.ts'

process.exitCode = await main(process.argv.slice(2), changingContext())
