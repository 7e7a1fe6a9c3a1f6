import { main } from './deploy/main.ts'
import { processContext } from './mission/process-context.ts'

process.exitCode = await main(process.argv.slice(2), processContext())
