import { systemClock } from '../src/engine/system-clock.ts'
import { main } from './azd/main.ts'
import { createSignIn } from './azd/sign-in.ts'
import { createTerminal } from './mission/terminal.ts'

const { stdin, stdout, stderr } = process
// A reader that went away, as in `| head`: nobody is left to write for. 141 is what SIGPIPE gives in a shell.
stdout.on('error', () => process.exit(141))

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  terminal: createTerminal({ stdin, stdout, stderr }, process.env),
  azure: { token: createSignIn(process.env['AZURE_SUBSCRIPTION_ID']), fetch, clock: systemClock },
  now: () => new Date(),
})
