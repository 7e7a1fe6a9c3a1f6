import { systemClock } from '../src/engine/system-clock.ts'
import { main } from './azd/main.ts'
import { createSignIn } from './azd/sign-in.ts'
import { processContext } from './mission/process-context.ts'

process.exitCode = await main(process.argv.slice(2), {
  ...processContext(),
  azure: { token: createSignIn(process.env['AZURE_SUBSCRIPTION_ID']), fetch, clock: systemClock },
  now: () => new Date(),
})
