import { main } from './mission/main.ts'
import { createTerminal } from './mission/terminal.ts'

/** A terminal and npm both pass Ctrl-C on, so the same key press arrives twice; later ones are a person's. */
const SECOND_CALL_MS = 1000

const { stdin, stdout, stderr } = process
const interrupt = new AbortController()
const terminal = createTerminal({ stdin, stdout, stderr }, process.env)
let interruptedAt = 0

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (interruptedAt > 0 && Date.now() - interruptedAt > SECOND_CALL_MS) process.exit(signal === 'SIGINT' ? 130 : 143)
    interruptedAt ||= Date.now()
    interrupt.abort(signal)
  })
}
// A reader that went away, as in `| head`: nobody is left to write for. 141 is what SIGPIPE gives in a shell.
stdout.on('error', () => process.exit(141))
// Ctrl-Z: the shell goes on where we stood, so nothing may be drawn until we are back.
process.on('SIGTSTP', () => {
  process.once('SIGCONT', terminal.region.hide())
  process.kill(process.pid, 'SIGSTOP')
})
process.on('exit', () => terminal.region.stop())

const code = await main(process.argv.slice(2), {
  env: process.env,
  terminal,
  interrupt,
  // Loaded here because it brings Postgres and Azurite, which no other way of running needs.
  startEnvironment: async (options) => {
    const { startEnvironment } = await import('../src/local/environment.ts')
    return startEnvironment(options)
  },
})
await new Promise((resolve) => stdout.write('', resolve))
process.exit(code)
