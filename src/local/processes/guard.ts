/**
 * The process between Taskforce and a program it needs. It holds a channel from its parent; when the kernel closes that
 * channel, because the parent ended in whatever way, it ends the program: gentle signal, SIGKILL after 3 s.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { GuardOrder, GuardReport, Program } from './spawn-guarded.ts'

const GRACE_AFTER_PARENT_DEATH_MS = 3000
/** Grandchildren may hold the output open after the program's end. */
const LAST_OUTPUT_MS = 500

let end = (_graceMs?: number) => process.exit()

process.on('message', (order: GuardOrder) => {
  if (order.kind === 'run') run(order.program)
  else end()
})
process.on('disconnect', () => end(GRACE_AFTER_PARENT_DEATH_MS))
process.on('SIGTERM', () => end())
process.on('SIGINT', () => end())
process.on('SIGHUP', () => undefined)
// The parent's end of the output is gone with the parent; the program must not notice.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

function run(program: Program) {
  const { command, args, stopSignal = 'SIGTERM', stopGraceMs = 20_000, ...options } = program
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  let ending: NodeJS.Timeout | undefined
  end = ((graceMs = stopGraceMs) => {
    child.kill(stopSignal)
    clearTimeout(ending)
    ending = setTimeout(() => child.kill('SIGKILL'), graceMs)
  }) as typeof end
  forward(child)
  child.once('spawn', () => report({ kind: 'started', pid: child.pid ?? 0 }))
  child.once('error', (error) => {
    report({ kind: 'failed', message: error.message })
    process.exitCode = 1
    leave()
  })
  child.once('exit', (code, signal) => {
    clearTimeout(ending)
    end = () => process.exit()
    report({ kind: 'exited', exit: { code, signal } })
    setTimeout(() => process.exit(), LAST_OUTPUT_MS).unref()
  })
  child.once('close', leave)
}

function forward(child: ChildProcess) {
  child.stdout?.on('data', (chunk: Buffer) => process.stdout.write(chunk))
  child.stderr?.on('data', (chunk: Buffer) => process.stderr.write(chunk))
}

function report(message: GuardReport) {
  if (process.connected) process.send?.(message)
}

function leave() {
  if (process.connected) process.disconnect()
}
