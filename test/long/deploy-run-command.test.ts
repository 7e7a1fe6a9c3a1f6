import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { publish, readMigratorKey } from '../../scripts/deploy/commands/apps.ts'
import { fetchPackage, fetchRecords, showPackage, storePackage } from '../../scripts/deploy/commands/blobs.ts'
import type { Command } from '../../scripts/deploy/commands/command.ts'
import { createInfrastructure, showAccount, whatIf } from '../../scripts/deploy/commands/subscription.ts'
import { createLog } from '../../scripts/deploy/deploy-log.ts'
import { environmentOf } from '../../scripts/deploy/environments.ts'
import { createRunner, type RunCommand } from '../../scripts/deploy/run-command.ts'
import { PLACEHOLDERS } from '../../scripts/deploy/target.ts'
import { isAlive } from '../support/is-alive.ts'

let folder: string
let slept: number[]
let stopping: AbortController
beforeEach(async () => {
  slept = []
  stopping = new AbortController()
  folder = await mkdtemp(join(tmpdir(), 'taskforce-run-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
})

/** Runs commands where az is these lines of a shell, which a person's az is too: the program that works is its child. */
async function runnerOf(lines: string): Promise<RunCommand> {
  await writeFile(join(folder, 'az'), `#!/bin/sh\ncd ${folder}\n${lines}\n`)
  await chmod(join(folder, 'az'), 0o755)
  const log = createLog(
    join(folder, 'log'),
    folder,
    () => undefined,
    () => new Date(),
  )
  const clock = { monotonic: () => 0, sleep: (ms: number) => Promise.resolve(void slept.push(ms)) }
  const env = { PATH: [folder, process.env.PATH].join(delimiter) }
  return createRunner({
    env,
    cwd: folder,
    stop: stopping.signal,
    platform: process.platform,
    clock,
    log,
    show: () => undefined,
  })
}

const refusing = (words: string) => runnerOf(`[ -e seen ] && exit 0\ntouch seen\necho '${words}' >&2; exit 1`)

describe('a command', () => {
  it.skipIf(process.platform === 'win32')(
    'that never ends is ended at its limit, with all that it started',
    async () => {
      const run = await runnerOf('sleep 600 &\necho $! > child\nwait')
      const command: Command = { ...publish(PLACEHOLDERS, 'func-app', 'x.zip'), limitMs: 300 }
      await expect(run(command)).rejects.toMatchObject({
        code: 'command_timed_out',
        message: expect.stringMatching(/config-zip .* did not end within 0\.005 minutes, and was ended/),
      })
      const child = Number(await readFile(join(folder, 'child'), 'utf8'))
      await expect.poll(() => isAlive(child)).toBe(false)
    },
    10_000,
  )

  it('of the Azure CLI has a limit, whatever it is', () => {
    const environment = environmentOf('staging', { location: 'westeurope', time: '' })
    const minutes = ({ limitMs = Infinity }: Command) => limitMs / 60_000
    expect(minutes(publish(PLACEHOLDERS, 'func-app', 'x.zip'))).toBe(15)
    expect(minutes(storePackage(PLACEHOLDERS, { blob: 'x', sha256: '' }, 'x.zip'))).toBe(15)
    expect(minutes(fetchPackage(PLACEHOLDERS, 'x', 'x.zip'))).toBe(15)
    expect(minutes(fetchRecords(PLACEHOLDERS, environment, 'x'))).toBe(15)
    expect(minutes(whatIf(environment))).toBe(15)
    expect(minutes(createInfrastructure(environment))).toBe(120)
    for (const command of [showAccount(), showPackage(PLACEHOLDERS, 'x'), readMigratorKey(PLACEHOLDERS)])
      expect(minutes(command)).toBe(3)
  })
})

describe('a refusal', () => {
  it.each([
    ['You do not have the required permissions needed to perform this operation.', showPackage],
    ['Caller is not authorized to perform action on resource', showPackage],
    ['ERROR: Not Found({"Code":"NotFound"})', readMigratorKey],
    ['ERROR: Operation returned an invalid status BadRequest', readMigratorKey],
    ['ERROR: InternalServerError from host runtime', readMigratorKey],
  ])('that may pass is waited out: %s', async (words, command) => {
    await (
      await refusing(words)
    )(command(PLACEHOLDERS, 'x'))
    expect(slept).toEqual([10_000])
  })

  it.each([
    'The request may be blocked by network rules of storage account. AuthorizationFailure (403)',
    'Error: (Forbidden) Public network access is disabled. Inner error: ForbiddenByConnection',
    'ERROR: 403 Ip Forbidden',
    'ERROR: Failed to resolve stdata.blob.core.windows.net ([Errno -2] Name or service not known)',
  ])('by a network is not waited for, and the hint says where to run: %s', async (words) => {
    await expect((await refusing(words))(showPackage(PLACEHOLDERS, 'x'))).rejects.toMatchObject({
      code: 'network_refused',
      hint: expect.stringContaining('outside the virtual network'),
    })
    expect(slept).toEqual([])
  })

  it('that tells of a package that is not there is none', async () => {
    await expect((await refusing('ERROR: NotFound'))(showPackage(PLACEHOLDERS, 'x'))).rejects.toThrow('ended with 1')
    expect(slept).toEqual([])
  })
})
