import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Stage } from '../../src/backup/restore/restore.ts'
import { readDrain } from '../../src/db/queries/drain.ts'
import { digestOf, takeBackup, type TakenBackup } from '../support/taken-backups.ts'
import { callTools, createWorld, script, tool, until, type World } from '../support/engine.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'
import type { RestoreOrder } from '../support/restore-process.ts'

const SCRIPT = fileURLToPath(new URL('../support/restore-process.ts', import.meta.url))

let world: World
let backup: TakenBackup
let target: TestDatabase
let folder = ''
let file = ''

beforeAll(async () => {
  world = await createWorld([tool('look', () => Array.from({ length: 300 }, () => Math.random()).join(' '))])
  for (let n = 0; n < 80; n++) await world.create(`Mission ${n}`)
  await world.engine({ model: script(callTools(['look'], ['look'], ['look'])) }).run()
  backup = await takeBackup(world.database.appUrl)
  folder = await mkdtemp(join(tmpdir(), 'taskforce-restore-'))
  file = join(folder, backup.manifest.file)
  await writeFile(file, backup.stored)
  target = await createTestDatabase()
  await child().exited
}, 120_000)
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
  await target.drop()
  await world.stop()
})

function child(dieAt?: RestoreOrder['dieAt']) {
  const order: RestoreOrder = { url: target.ownerUrl, manifest: backup.manifest, file, dieAt }
  const one = fork(SCRIPT, [JSON.stringify(order)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const stages: Stage[] = []
  one.on('message', (stage: Stage) => stages.push(stage))
  return { one, stages, exited: once(one, 'exit') as Promise<[code: number | null, signal: string | null]> }
}

/** The server notices by itself that a client is gone, as soon as it has something to do with it. */
const allGone = () =>
  until(() =>
    withConnection(target.ownerUrl, async (client) => {
      const { rowCount } = await client.query(
        `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
      )
      return rowCount === 0
    }),
  )

const generation = () =>
  withConnection(target.ownerUrl, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      `select (value->>'number')::int as n from taskforce.facts where name = 'generation'`,
    )
    return rows[0]?.n ?? 0
  })

/** Whatever a killed restore left is over by itself, and the next one goes through. */
async function nextSucceeds(): Promise<void> {
  const drain = await withConnection(target.appUrl, readDrain)
  if (drain !== undefined) {
    expect(drain.by).toBe('restore')
    expect(drain.until).toBeInstanceOf(Date)
  }
  const next = child()
  expect(await next.exited).toEqual([0, null])
  expect(await withConnection(target.appUrl, readDrain)).toBeUndefined()
}

describe('a restore that is killed', () => {
  const before: (Stage | number)[] = ['stop', 'lock', 'load', 0.1, 0.5, 0.9, 1, 'generation', 'effects', 'commit']
  it.each(before)(
    'at %s leaves the target as it was, and the next one succeeds',
    async (dieAt) => {
      const was = await digestOf(target.ownerUrl)
      const killed = child(dieAt)
      expect(await killed.exited).toEqual([null, 'SIGKILL'])
      await allGone()
      expect(await digestOf(target.ownerUrl)).toEqual(was)
      await nextSucceeds()
    },
    60_000,
  )

  it.each(['migrate', 'analyze'] satisfies Stage[])(
    'at %s has restored all of it, and the next one succeeds',
    async (dieAt) => {
      const was = await generation()
      expect(await child(dieAt).exited).toEqual([null, 'SIGKILL'])
      await allGone()
      expect(await generation()).toBe(was + 1)
      await nextSucceeds()
    },
    60_000,
  )

  it('at any moment leaves the target as it was, or all of it restored', async () => {
    const begun = performance.now()
    await child().exited
    const lasts = performance.now() - begun
    for (let n = 0; n < 12; n++) {
      const [was, at] = [await digestOf(target.ownerUrl), await generation()]
      const killed = child()
      await Promise.race([killed.exited, new Promise((resolve) => setTimeout(resolve, Math.random() * lasts))])
      killed.one.kill('SIGKILL')
      await killed.exited
      await allGone()
      if ((await generation()) === at) expect(await digestOf(target.ownerUrl)).toEqual(was)
      else expect(killed.stages).toContain('commit')
    }
    await nextSucceeds()
  }, 180_000)
})
