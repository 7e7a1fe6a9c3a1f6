import { processContext } from './mission/process-context.ts'
import { main } from './restore/main.ts'

process.exitCode = await main(process.argv.slice(2), processContext())
