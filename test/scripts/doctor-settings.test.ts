import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkNode } from '../../scripts/doctor/checks/node.ts'
import { findLookAlikes } from '../../scripts/doctor/look-alikes.ts'
import { readSettings } from '../../scripts/doctor/read-settings.ts'
import { parseDatabaseUrl, secretsIn, showValue } from '../../scripts/doctor/show-value.ts'
import { readSurroundings } from '../../scripts/doctor/surroundings.ts'
import { foreignSettings, settingsSchema } from '../../src/config/settings.ts'

const names = [...Object.keys(settingsSchema.shape), ...foreignSettings]
const run = {
  event: 'ready',
  url: 'http://127.0.0.1:7071',
  databaseUrl: 'postgresql://taskforce:pw@127.0.0.1:5/taskforce',
  storageConnectionString: 'AccountName=devstoreaccount1;AccountKey=a2V5',
  demoModelUrl: 'http://127.0.0.1:6/v1',
  pid: process.pid,
}

/** A folder with these files, and what the doctor makes of it. */
function surroundings(env: Record<string, string>, files: { settings?: string | object; run?: object } = {}) {
  const cwd = mkdtempSync(join(tmpdir(), 'doctor-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  const { settings } = files
  if (settings !== undefined) {
    const text = typeof settings === 'string' ? settings : JSON.stringify({ Values: settings })
    writeFileSync(join(cwd, 'local.settings.json'), text)
  }
  if (files.run !== undefined) writeFileSync(join(cwd, 'run.json'), JSON.stringify(files.run))
  return readSurroundings({ env, cwd, dataDir: cwd })
}

describe('look-alikes', () => {
  it.each([
    ['OPENAI_APIKEY', 'OPENAI_API_KEY'],
    ['AZURE_OPENAI_KEY', 'AZURE_OPENAI_API_KEY'],
    ['TASKFORCE_APIKEY', 'TASKFORCE_API_KEY'],
    ['OPENAI_API_BASE', 'OPENAI_BASE_URL'],
    ['AZURE_SEARCH_ADMIN_KEY', 'AZURE_SEARCH_API_KEY'],
    ['AZURE_SEARCH_SERVICE_ENDPOINT', 'AZURE_SEARCH_ENDPOINT'],
    ['AZURE_OPENAI_CHAT_DEPLOYMENT_NAME', 'AZURE_OPENAI_DEPLOYMENT'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['JOBS_STORAGE__queueServiceUrl', 'JOBS_STORAGE__queueServiceUri'],
  ])('%s means %s', (name, meant) => {
    expect(findLookAlikes([name], names)).toEqual([{ name, meant }])
  })

  it.each([
    'PATH',
    'HOME',
    'AUTHOR',
    'PROFILES',
    'OPENAI_ORG_ID',
    'AZURE_CLIENT_ID',
    'AWS_PROFILE',
    'TEST_DATABASE_URL',
  ])('%s means nothing of ours', (name) => {
    expect(findLookAlikes([name], names)).toEqual([])
  })

  it('are no news where the right one is set as well', () => {
    expect(findLookAlikes(['OPENAI_KEY', 'OPENAI_API_KEY'], names)).toEqual([])
  })
})

describe('what is shown of a value', () => {
  it.each([
    ['OPENAI_API_KEY', 'sk-secret', undefined],
    [
      'DATABASE_URL',
      'postgresql+asyncpg://me:secret@h:5/db?sslmode=require',
      'postgresql+asyncpg://me@h:5/db?sslmode=require',
    ],
    ['DATABASE_URL', 'postgresql://h/db?user=me&password=secret', 'postgresql://h/db?user=…&password=…'],
    ['DATABASE_URL', 'postgresql://me:12#secret@h/db', undefined],
    ['DATABASE_URL', 'postgresql://me:12?secret@h/db', undefined],
    ['DATABASE_URL', 'postgresql://me:12/secret@h/db', undefined],
    ['JOBS_STORAGE', 'AccountName=acct;AccountKey=secret==', 'account acct'],
    [
      'JOBS_STORAGE',
      'QueueEndpoint=https://acct.example/;SharedAccessSignature=sv=1&sig=secret',
      'account at acct.example',
    ],
    ['JOBS_STORAGE', 'secret', undefined],
    ['JOBS_STORAGE', 'UseDevelopmentStorage=true', 'UseDevelopmentStorage=true'],
    ['OPENAI_BASE_URL', 'http://me:secret@h/v1?key=secret', 'http://h/v1?key=…'],
    ['OPENAI_MODEL', 'gpt-5', 'gpt-5'],
  ])('%s %s', (name, value, shown) => {
    expect(showValue(name, value)).toBe(shown)
    if (value.includes('secret')) expect(secretsIn(name, value).join()).toContain('secret')
  })

  it('knows a password in both forms, also where no parser finds it', () => {
    expect(secretsIn('DATABASE_URL', 'postgresql://me:a%2Fb%40c@h/db')).toEqual(
      expect.arrayContaining(['a/b@c', 'a%2Fb%40c']),
    )
    expect(secretsIn('DATABASE_URL', 'postgresql://me:12#ab@h/db')).toContain('12#ab')
    expect(parseDatabaseUrl('postgresql://me:12#ab@h/db')).toBeUndefined()
  })
})

describe('values', () => {
  it('come from the environment first, then local.settings.json, then the environment that runs', () => {
    const { values } = surroundings(
      { OPENAI_MODEL: 'mine', LOG_LEVEL: '' },
      { settings: { OPENAI_MODEL: 'filed', LOG_LEVEL: 'debug', JOBS_STORAGE: 'filed' }, run },
    )
    expect(values.get('OPENAI_MODEL')).toEqual({ value: 'demo', source: 'npm start' })
    expect(values.get('LOG_LEVEL')).toEqual({ value: 'debug', source: 'local.settings.json' })
    expect(values.get('JOBS_STORAGE')).toEqual({ value: 'filed', source: 'local.settings.json' })
    expect(values.get('DATABASE_URL')).toEqual({ value: run.databaseUrl, source: 'npm start' })
    expect(values.get('AUTH')).toEqual({ value: 'off', source: 'npm start' })
  })

  it('of a model server are not mixed with those of the demo model', () => {
    const { values } = surroundings({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_MODEL: 'llama' }, { run })
    expect(values.has('OPENAI_API_KEY')).toBe(false)
    expect(values.get('OPENAI_MODEL')).toEqual({ value: 'llama', source: 'environment' })
  })

  it('that are half of Azure OpenAI do not hide the demo model', () => {
    const half = { AZURE_OPENAI_ENDPOINT: 'https://a.example', AZURE_OPENAI_API_KEY: 'k' }
    expect(surroundings(half, { run }).values.get('OPENAI_BASE_URL')?.value).toBe(run.demoModelUrl)
    const whole = { ...half, AZURE_OPENAI_DEPLOYMENT: 'mini' }
    expect(surroundings(whole, { run }).values.has('OPENAI_BASE_URL')).toBe(false)
  })

  it.each([
    ['no JSON', '{"Values": ', 'is no JSON object'],
    ['encrypted', '{"IsEncrypted": true, "Values": {"AUTH": "x"}}', 'is encrypted'],
  ])('of a file that is %s are left out, with a word', (_, settings, reason) => {
    const found = surroundings({}, { settings })
    expect(found.fileProblem).toContain(reason)
    expect(readSettings(found).findings).toContainEqual(
      expect.objectContaining({ name: 'local.settings.json', status: 'warn' }),
    )
  })

  it('of an environment that has ended are none', () => {
    expect(surroundings({}, { run: { ...run, pid: 2 ** 22 + 1 } })).toMatchObject({ run: undefined, bare: true })
  })

  it('on Azure are never taken for those of a new machine', () => {
    const found = surroundings({ WEBSITE_SITE_NAME: 'app' })
    expect(found.bare).toBe(false)
    expect(readSettings(found).findings.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['DATABASE_URL', 'JOBS_STORAGE', 'TASKFORCE_API_KEY']),
    )
  })
})

describe('settings', () => {
  const good = {
    DATABASE_URL: 'postgresql://u:pw@127.0.0.1/db',
    JOBS_STORAGE: 'UseDevelopmentStorage=true',
    TASKFORCE_API_KEY: 'a-key-of-16-characters',
  }

  it('have one line each, with value or default, and their source', () => {
    const { lines } = readSettings(surroundings(good))
    expect(lines.map(({ name }) => name)).toEqual(names)
    expect(lines).toContainEqual({ name: 'TASKFORCE_API_KEY', set: true, source: 'environment' })
    expect(lines).toContainEqual({ name: 'OPENAI_MODEL', value: 'gpt-5.4-mini', source: 'default' })
    expect(lines).toContainEqual({ name: 'OPENAI_API_KEY', set: false, source: null })
    expect(lines).toContainEqual({ name: 'DATABASE_URL', value: 'postgresql://u@127.0.0.1/db', source: 'environment' })
  })

  it('that are wrong are all named at once with the reason, never with the value, and keep only their part from being looked at', () => {
    const { findings, lines, broken, config, secrets } = readSettings(
      surroundings({
        ...good,
        DATABASE_POOLER: 'hunter2',
        SLICE_SECONDS: 'hunter2',
        TASKFORCE_API_KEY: 'hunter2',
        AZURE_OPENAI_API_VERSION: 'hunter2',
        OPENAI_API_KEY: 'sk-mine',
        AZURE_SEARCH_ENDPOINT: 'https://s.example',
        AZURE_SEARCH_INDEX: 'docs',
      }),
    )
    const wrong = findings.filter(({ status }) => status === 'fail')
    expect(wrong.map(({ name }) => name).sort()).toEqual(
      ['AZURE_OPENAI_API_VERSION', 'DATABASE_POOLER', 'SLICE_SECONDS', 'TASKFORCE_API_KEY'].sort(),
    )
    expect(wrong.every(({ hint }) => hint !== undefined)).toBe(true)
    expect(JSON.stringify([findings, lines])).not.toContain('hunter2')
    expect(lines).toContainEqual(
      expect.objectContaining({ name: 'SLICE_SECONDS', set: true, problem: expect.any(String) }),
    )
    expect([...broken.keys()].sort()).toEqual(['database', 'model'])
    expect(config.search).toMatchObject({ index: 'docs' })
    expect(secrets.storageConnectionString).toBe('UseDevelopmentStorage=true')
  })

  it.each([
    ['AZURE_OPENAI_ENDPOINT', 'https://a.example', 'AZURE_OPENAI_DEPLOYMENT'],
    ['AZURE_OPENAI_API_KEY', 'hunter2', 'AZURE_OPENAI_ENDPOINT'],
    ['AZURE_SEARCH_ENDPOINT', 'https://s.example', 'AZURE_SEARCH_INDEX'],
    ['AZURE_SEARCH_API_KEY', 'hunter2', 'AZURE_SEARCH_ENDPOINT'],
  ])(
    'with %s alone are warned of, with what to set, and nothing is kept from being looked at',
    (name, value, missing) => {
      const { findings, lines, broken } = readSettings(
        surroundings({ ...good, OPENAI_API_KEY: 'sk-mine', [name]: value }),
      )
      const hint: unknown = expect.stringContaining(`set ${missing}: `)
      const detail = `is not set, so ${name} is not used`
      expect(findings).toEqual([{ name: missing, status: 'warn', detail, hint }])
      expect(lines).toContainEqual({ name: missing, set: false, source: null, problem: detail })
      expect(broken.size).toBe(0)
      expect(JSON.stringify([findings, lines])).not.toContain('hunter2')
    },
  )

  it('that are near misses are named without their values', () => {
    const { findings } = readSettings(surroundings({ ...good, OPENAI_APIKEY: 'sk-canary' }))
    expect(findings).toContainEqual(
      expect.objectContaining({ name: 'OPENAI_APIKEY', status: 'warn', hint: 'did you mean OPENAI_API_KEY?' }),
    )
    expect(JSON.stringify(findings)).not.toContain('sk-canary')
  })
})

describe('Node', () => {
  const range = '^22.18.0 || ^24.0.0'
  it.each([
    ['22.18.0', 'pass'],
    ['22.17.9', 'fail'],
    ['24.21.0', 'pass'],
    ['23.11.0', 'fail'],
    ['25.0.0', 'fail'],
  ])('%s: %s', (version, status) => {
    expect(checkNode(version, range).status).toBe(status)
  })
})
