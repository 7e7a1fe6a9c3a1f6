import { main } from './doctor/main.ts'
import { processContext } from './mission/process-context.ts'

const code = await main(process.argv.slice(2), { ...processContext(), nodeVersion: process.versions.node })
await new Promise((resolve) => process.stdout.write('', resolve))
// Servers that never answer still hold connections open.
process.exit(code)
