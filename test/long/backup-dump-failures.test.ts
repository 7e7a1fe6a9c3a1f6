import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { DumpOptions } from '../../src/backup/dump/dump.ts'
import { APP, withSuper } from '../support/global-setup.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'
import { dumpTo } from '../support/plain-backup.ts'
import { insertEvents, insertMissions } from '../backup/missions-rows.ts'

/** More than the sockets' buffers hold, so that the database is still sending when it happens. */
const ROWS = 4_000
const ROW_BYTES = 4_000

describe('a dump that is disturbed', () => {
  let database: TestDatabase

  beforeAll(async () => {
    database = await createTestDatabase()
    const [mission = ''] = await insertMissions(database.ownerUrl, 1)
    await insertEvents(database.ownerUrl, mission, ROWS, ROW_BYTES)
  })
  afterAll(() => database.drop())

  it.each([
    ['pg_cancel_backend', 'backup_failed'],
    ['pg_terminate_backend', 'backup_cut_off'],
  ])('by %s ends with an error', async (what, code) => {
    const act = () =>
      withConnection(database.appUrl, (client) =>
        client.query(
          `select ${what}(pid) from pg_stat_activity where datname = current_database() and query ilike 'copy taskforce."events"%'`,
        ),
      )
    await expect(dumpInterrupted(database.appUrl, act)).rejects.toMatchObject({ name: 'TerminalError', code })
  })

  it('by a network that swallows everything ends when nothing has come for a while', async () => {
    const hole = await startBlackHole(database.appUrl)
    try {
      const limits = { stallMs: 1_000 }
      await expect(dumpInterrupted(hole.url, hole.swallow, { limits })).rejects.toMatchObject({
        code: 'backup_stalled',
      })
    } finally {
      hole.stop()
    }
  })

  it('by a store that takes nothing more ends too, and so does one that takes too long', async () => {
    const never = () => new Promise<void>(() => undefined)
    const stalled = dumpTo(database.appUrl, never, { limits: { stallMs: 300 } })
    await expect(stalled).rejects.toMatchObject({ code: 'backup_stalled' })
    const slow = dumpTo(database.appUrl, () => new Promise((wake) => setTimeout(wake, 20)), {
      limits: { totalMs: 600 },
    })
    await expect(slow).rejects.toMatchObject({ code: 'backup_too_slow' })
    await nobodyLeft()
  })

  it('by its caller stops', async () => {
    const stop = new AbortController()
    const abort = async () => stop.abort()
    await expect(dumpInterrupted(database.appUrl, abort, { signal: stop.signal })).rejects.toMatchObject({
      code: 'backup_stopped',
    })
    await expect(dumpTo(database.appUrl, async () => undefined, { signal: stop.signal })).rejects.toMatchObject({
      code: 'backup_stopped',
    })
    await nobodyLeft()
  })

  it('by a store that fails passes the error on', async () => {
    const error = new Error('the disk is full')
    await expect(dumpTo(database.appUrl, () => Promise.reject(error))).rejects.toBe(error)
    await nobodyLeft()
  })

  it('by a change of the schema that has not ended does not wait for ever', async () => {
    await withConnection(database.ownerUrl, async (owner) => {
      await owner.query('begin; lock table taskforce.missions in access exclusive mode')
      const chunks: Buffer[] = []
      const dumping = dumpTo(database.appUrl, async (chunk) => void chunks.push(chunk), { limits: { lockMs: 200 } })
      await expect(dumping).rejects.toMatchObject({ code: 'backup_locked' })
      expect(chunks).toEqual([])
    })
  })

  it('holds up a change of the schema, which would take a table away under it', async () => {
    const change = () =>
      withConnection(database.ownerUrl, (owner) =>
        owner.query(`set lock_timeout = 200; alter table taskforce.upkeep add column hot text`),
      )
    await expect(dumpInterrupted(database.appUrl, change)).rejects.toMatchObject({ code: '55P03' })
  })

  it('is refused before its first byte where there is too much', async () => {
    const chunks: Buffer[] = []
    const dumping = dumpTo(database.appUrl, async (chunk) => void chunks.push(chunk), { limitBytes: 1_000_000 })
    await expect(dumping).rejects.toMatchObject({ code: 'backup_too_large' })
    expect(chunks).toEqual([])
  })

  it('tells how far it is', async () => {
    const seen: [number, number][] = []
    const contents = await dumpTo(database.appUrl, async () => undefined, {
      onProgress: (bytes, estimate) => void seen.push([bytes, estimate]),
    })
    const rows = contents.tables.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(seen.at(-1)).toEqual([rows, expect.closeTo(rows, -8)])
    expect(seen.length).toBeGreaterThan(10)
  })

  it('needs a login that may be taskforce_backup, and says what to run', async () => {
    const name = `stranger_${database.name.slice(-12)}`
    await withSuper(inject('databaseSuperUrl'), (client) => client.query(`create role ${name} login password 'x'`))
    try {
      const url = new URL(database.appUrl)
      url.username = name
      url.password = 'x'
      await expect(dumpTo(url.href, async () => undefined)).rejects.toMatchObject({
        code: 'backup_not_allowed',
        message: expect.stringContaining(`grant taskforce_backup to "${name}" with inherit false, set true;`),
      })
    } finally {
      await withSuper(inject('databaseSuperUrl'), (client) => client.query(`drop role ${name}`))
    }
  })

  it('is refused where there is no schema', async () => {
    const empty = await createTestDatabase({ migrated: false })
    await expect(dumpTo(empty.appUrl, async () => undefined)).rejects.toMatchObject({ code: 'backup_no_schema' })
    await empty.drop()
  })

  /** Lets `act` happen once the first rows of the big table have come, while the rest is still in the database. */
  async function dumpInterrupted(url: string, act: () => Promise<unknown>, options: Partial<DumpOptions> = {}) {
    let inside = false
    let acted = false
    return dumpTo(
      url,
      async (chunk) => {
        if (inside && !acted) {
          acted = true
          await act()
        }
        inside ||= chunk.includes('-- taskforce:data {"table":"events"')
      },
      options,
    )
  }

  /** The connection is gone in the server too, not only forgotten here. */
  async function nobodyLeft(): Promise<void> {
    await expect
      .poll(
        () =>
          withConnection(database.appUrl, async (client) => {
            const { rows } = await client.query(
              `select query from pg_stat_activity where datname = current_database() and usename = $1 and pid <> pg_backend_pid()`,
              [APP.name],
            )
            return rows
          }),
        { timeout: 20_000 },
      )
      .toEqual([])
  }
})

describe('a dump', () => {
  it.each([
    ['the policy is gone', 'drop policy reader on taskforce.missions'],
    ['the policy lets only some through', `alter policy reader on taskforce.missions using (status = 'running')`],
    [
      'another policy holds rows back',
      `create policy hide on taskforce.missions as restrictive for select to public using (status <> 'failed')`,
    ],
    ['the right is gone', 'revoke select on taskforce.missions from taskforce_backup'],
  ])('is refused where rows would be missing: %s', async (_, statement) => {
    const database = await createTestDatabase()
    await withConnection(database.ownerUrl, (owner) => owner.query(statement))
    await expect(dumpTo(database.appUrl, async () => undefined)).rejects.toMatchObject({
      code: 'backup_not_allowed',
      message: expect.stringContaining('table missions'),
    })
    await database.drop()
  })
})

/** Stands before the server of a URL, and from some moment on passes nothing on in either direction, without a word. */
async function startBlackHole(
  target: string,
): Promise<{ url: string; swallow: () => Promise<void>; stop: () => void }> {
  const sockets: Socket[] = []
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(target).port), '127.0.0.1')
    for (const socket of [client, upstream]) socket.on('error', () => undefined)
    sockets.push(client, upstream)
    client.pipe(upstream)
    upstream.pipe(client)
    client.on('close', () => upstream.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(target)
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    async swallow() {
      for (const socket of sockets) socket.unpipe()
    },
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
