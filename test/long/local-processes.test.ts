import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { endLeftover } from '../../src/local/processes/end-leftover.ts'
import { freePort } from '../../src/local/processes/free-port.ts'
import { isAlive, processInfo } from '../../src/local/processes/process-info.ts'
import { spawnGuarded } from '../../src/local/processes/spawn-guarded.ts'
import { nextSaid, parentProcess, vanished } from '../local/killed-parent.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-processes-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const WAITS = 'setInterval(() => undefined, 1000)'
const STUBBORN = `process.on('SIGTERM', () => console.log('no')); console.log('up'); ${WAITS}`

function node(source: string) {
  return { command: process.execPath, args: ['-e', source], log: () => undefined }
}

/** Starts the program and waits for its first line: before that it has no signal handlers. */
async function nodeUp(source: string, options: { stopGraceMs?: number } = {}) {
  const lines: string[] = []
  const up = Promise.withResolvers<void>()
  const log = (line: string) => {
    lines.push(line)
    up.resolve()
  }
  const program = await spawnGuarded({ ...node(source), ...options, log })
  await up.promise
  return { program, lines }
}

/** A parent that starts the program and says its process number once the program is up. */
async function parentOf(source: string, before = '') {
  const parent = await parentProcess(`${before}
    const up = Promise.withResolvers<void>()
    const log = (line: string) => line === 'up' && up.resolve()
    const program = await spawnGuarded({ command: process.execPath, args: ['-e', ${JSON.stringify(source)}], log })
    await up.promise
    say(program.pid)`)
  return { parent, pid: await nextSaid<number>(parent) }
}

describe('a guarded program', () => {
  test('gets its gentle signal when its parent is killed with kill -9, and may still print', async () => {
    const sign = join(folder, 'gentle')
    const gentle = `process.on('SIGTERM', () => {
      console.log('ending')
      setTimeout(() => { require('node:fs').writeFileSync(${JSON.stringify(sign)}, ''); process.exit() }, 200)
    }); console.log('up'); ${WAITS}`
    const { parent, pid } = await parentOf(gentle)
    parent.kill('SIGKILL')
    expect(await vanished(pid)).toBe(true)
    expect(existsSync(sign)).toBe(true)
  })

  test('is killed when it does not heed that signal', async () => {
    const { parent, pid } = await parentOf(STUBBORN)
    parent.kill('SIGKILL')
    expect(await vanished(pid)).toBe(true)
  })

  test('is not reached by a Ctrl-C that the parent handles', async () => {
    const { parent, pid } = await parentOf(
      `console.log('up'); ${WAITS}`,
      `process.on('SIGINT', () => setTimeout(() => say('handled'), 300))`,
    )
    process.kill(-(parent.pid ?? 0), 'SIGINT')
    expect(await nextSaid<string>(parent)).toBe('handled')
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    expect(await vanished(pid)).toBe(true)
  })

  test('ends by its gentle signal on stop, and its last words reach the log', async () => {
    const { program, lines } = await nodeUp(
      `process.on('SIGTERM', () => { console.log('bye'); process.exit(7) }); console.log('up'); ${WAITS}`,
    )
    await program.stop()
    expect(await program.exited).toEqual({ code: 7, signal: null })
    expect(lines).toEqual(['up', 'bye'])
    await program.stop()
  })

  test('is killed on stop when it does not end in its grace time', async () => {
    const { program } = await nodeUp(STUBBORN, { stopGraceMs: 200 })
    await program.stop()
    expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' })
  })

  test('tells how it ended by itself', async () => {
    const program = await spawnGuarded(node('process.exit(3)'))
    expect(await program.exited).toEqual({ code: 3, signal: null })
    await program.kill()
  })

  test('tells how it ended though its start and its end are told at once', async () => {
    const atOnce = { command: '/bin/sh', args: ['-c', 'exit 3'], log: () => undefined }
    for (let n = 0; n < 8; n++) {
      expect(await (await spawnGuarded(atOnce)).exited).toEqual({ code: 3, signal: null })
    }
  })

  test('ends when its guard is killed', async () => {
    const { program } = await nodeUp(`console.log('up'); ${WAITS}`)
    process.kill(processInfo(program.pid)?.parent ?? 0, 'SIGKILL')
    await program.exited
    expect(await vanished(program.pid)).toBe(true)
  })

  test('that does not exist is refused with its name', async () => {
    await expect(spawnGuarded({ command: '/no/such/program', args: [], log: () => undefined })).rejects.toMatchObject({
      code: 'program_not_started',
      message: expect.stringContaining('/no/such/program'),
    })
  })
})

describe('a leftover', () => {
  const leftover = { stopSignal: 'SIGTERM', name: 'Sleeper', folder: '/data', log: () => undefined } as const

  test('whose number another program has now is left alone', async () => {
    await endLeftover({ ...leftover, pid: process.pid, marks: ['a mark that this test run does not have'] })
    expect(isAlive(process.pid)).toBe(true)
  })

  test('that a running Taskforce guards is refused', async () => {
    const { program } = await nodeUp(`console.log('up'); ${WAITS}`)
    await expect(endLeftover({ ...leftover, pid: program.pid, marks: ['setInterval'] })).rejects.toMatchObject({
      code: 'data_in_use',
      message: expect.stringContaining(`process ${program.pid}`),
    })
    await program.kill()
  })
})

test('a free port can be listened on', async () => {
  const port = await freePort()
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  server.close()
  expect(port).toBeGreaterThan(1023)
})
