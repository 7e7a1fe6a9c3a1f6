import type { Client } from 'pg'
import { differences } from '../../db/migrate/check.ts'
import { readFingerprint } from '../dump/fingerprint.ts'
import { readSections } from '../dump/sections.ts'
import { tableSums } from '../dump/table-sums.ts'
import { asReader, firstOf, type Check } from './check.ts'

/** Each table's rows, as they are read again, are those of the manifest. */
export const checkTables: Check = async (client, { manifest }) => {
  const expected = manifest.contents.tables
  const found = await asReader(client, () => tableSums(client, expected))
  const wrong = expected.flatMap(({ name, rows, sha256 }, index) => {
    const sum = found[index]
    if (sum?.rows !== rows) return [`${name} has ${sum?.rows ?? 0} rows in place of ${rows}`]
    return sum.sha256 === sha256 ? [] : [`${name} has other rows`]
  })
  return firstOf(wrong)
}

/**
 * The schema is that of the backup's revision, but for its owner: here that is the login. Of a backup that differs itself,
 * and says so, nothing is known to compare with.
 */
export const checkSchema: Check = async (client, { manifest }) => {
  const { revision, missing, drift } = manifest.contents
  if (missing.length > 0) return `not all data is in the backup: ${firstOf(missing)}`
  if (drift.length > 0) return `the schema differed already when it was dumped: ${firstOf(drift)}`
  const sections = await readSections(revision)
  if (sections.revision !== revision) return `this build has no sections of revision ${revision}`
  const login = await loginOf(client)
  const found = await asReader(client, () => readFingerprint(client))
  const own = ownerPattern(login)
  const lines = found.map((line) => line.replaceAll(own, 'taskforce_owner'))
  return firstOf(differences(sections.fingerprint, [...new Set(lines)]))
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

/** The API sees the rows of one tenant and of no other. */
export const checkTenants: Check = async (client) => {
  await client.query('begin read only; set local statement_timeout = 0')
  try {
    if (!(await mayBeApi(client))) return { notLookedAt: 'this login may not take up taskforce_api' }
    await client.query('set local role taskforce_backup')
    const { rows } = await client.query<{ tenant: string; n: string }>(
      'select tenant_id as tenant, count(*) as n from taskforce.missions group by 1 order by 1 limit 100',
    )
    await client.query('set local role taskforce_api')
    const wrong: string[] = []
    for (const { tenant, n } of [...rows, { tenant: NOBODY, n: '0' }]) {
      await client.query(`select set_config('app.tenant', $1, true)`, [tenant])
      const seen = await client.query<{ n: string }>('select count(*) as n from taskforce.missions')
      if (seen.rows[0]?.n !== n) wrong.push(`tenant ${tenant} sees ${seen.rows[0]?.n ?? 0} missions in place of ${n}`)
    }
    return firstOf(wrong)
  } finally {
    await client.query('rollback')
  }
}

async function mayBeApi(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(`select pg_has_role('taskforce_api', 'member') as may`)
  return rows[0]?.may === true
}

/** The login where it stands for a role: it may be called `taskforce`, as the schema is. */
function ownerPattern(login: string): RegExp {
  return new RegExp(`(?<![\\w."]|schema )"?${login.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')}"?(?![\\w."])`, 'g')
}

async function loginOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select current_user as name')
  return rows[0]?.name ?? ''
}
