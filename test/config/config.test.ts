import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { loadProfiles, profilesDir } from '../../src/config/load-profiles.ts'
import { rawAuth } from '../../src/config/raw-auth.ts'
import { foreignSettings, settingsSchema } from '../../src/config/settings.ts'
import { controlTools } from '../../src/domain/control-tools/registry.ts'
import { createTools, optionalTools } from '../../src/tools/registry.ts'

const good = {
  DATABASE_URL: 'postgresql://u:hunter2@127.0.0.1/taskforce',
  JOBS_STORAGE: 'UseDevelopmentStorage=true',
  TASKFORCE_API_KEY: 'a-key-of-16-characters',
}

const LOGIN = { name: 'id-app', principalId: '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a01' }

function problemsOf(env: Record<string, string | undefined>): string[] {
  const result = loadConfig(env)
  return result.ok ? [] : result.problems.map(({ file, key, reason }) => `${file}: ${key} ${reason}`)
}

it('the example file lists every setting, and nothing else', () => {
  const example = JSON.parse(readFileSync('local.settings.example.json', 'utf8')) as { Values: Record<string, string> }
  const known = [...Object.keys(settingsSchema.shape), ...foreignSettings]
  expect(Object.keys(example.Values).sort()).toEqual(known.sort())
})

it('the example file is itself a valid configuration', () => {
  const example = JSON.parse(readFileSync('local.settings.example.json', 'utf8')) as { Values: Record<string, string> }
  expect(problemsOf(example.Values)).toEqual([])
})

it('the README has a line for every setting', () => {
  const readme = readFileSync('README.md', 'utf8')
  const missing = [...Object.keys(settingsSchema.shape), ...foreignSettings].filter(
    (name) => !readme.includes(`\`${name}\``),
  )
  expect(missing).toEqual([])
})

describe('a configuration', () => {
  it('takes defaults and keeps secrets apart', () => {
    const result = loadConfig(good)
    expect(result).toMatchObject({
      ok: true,
      config: { auth: 'keys', defaultProfile: 'dev', engine: { concurrency: 32 } },
    })
    expect(JSON.stringify(result.ok && result.config)).not.toContain('hunter2')
  })

  it('has the profile and the level that are set', () => {
    expect(loadConfig({ ...good, PROFILE: 'staging', LOG_LEVEL: 'debug' })).toMatchObject({
      ok: true,
      config: { defaultProfile: 'staging', logLevel: 'debug' },
    })
  })

  it("has the app's login in the migrator, and nowhere else", () => {
    const env = { ...good, APP_LOGIN_NAME: LOGIN.name, APP_LOGIN_PRINCIPAL_ID: LOGIN.principalId }
    expect(loadConfig({ ...env, APP_ROLE: 'migrator' })).toMatchObject({ ok: true, config: { appLogin: LOGIN } })
    const [app, migrator] = [loadConfig(env), loadConfig({ ...good, APP_ROLE: 'migrator' })]
    for (const result of [app, migrator]) expect(result.ok && result.config.appLogin).toBeUndefined()
  })

  const table: [string, Record<string, string | undefined>, string][] = [
    [
      'without a database',
      { ...good, DATABASE_URL: undefined },
      'environment: DATABASE_URL is not set, and has no default',
    ],
    ['with an empty one', { ...good, DATABASE_URL: '' }, 'environment: DATABASE_URL is not set, and has no default'],
    ['with another kind of URL', { ...good, DATABASE_URL: 'mysql://x' }, 'environment: DATABASE_URL a URL such as'],
    [
      'with a number that is none',
      { ...good, SLICE_SECONDS: 'soon' },
      'environment: SLICE_SECONDS must be a number of seconds',
    ],
    ['with a word that is not known', { ...good, LOG_LEVEL: 'loud' }, 'environment: LOG_LEVEL Invalid option'],
    [
      "with an object id of the app's login that is none",
      { ...good, APP_ROLE: 'migrator', APP_LOGIN_NAME: 'id-app', APP_LOGIN_PRINCIPAL_ID: 'id-app' },
      'environment: APP_LOGIN_PRINCIPAL_ID an object id of Entra ID, which is a GUID',
    ],
    [
      "with a name of the app's login that no role can have",
      { ...good, APP_ROLE: 'migrator', APP_LOGIN_NAME: 'x'.repeat(64), APP_LOGIN_PRINCIPAL_ID: LOGIN.principalId },
      'environment: APP_LOGIN_NAME at most 63 characters',
    ],
    [
      "of a migrator that knows the name of the app's login alone",
      { ...good, APP_ROLE: 'migrator', APP_LOGIN_NAME: LOGIN.name },
      'environment: APP_LOGIN_PRINCIPAL_ID is not set, and APP_LOGIN_NAME is',
    ],
    [
      'of a migrator that knows its object id alone',
      { ...good, APP_ROLE: 'migrator', APP_LOGIN_PRINCIPAL_ID: LOGIN.principalId },
      'environment: APP_LOGIN_NAME is not set, and APP_LOGIN_PRINCIPAL_ID is',
    ],
    [
      'with keys and no key',
      { ...good, TASKFORCE_API_KEY: undefined },
      'environment: TASKFORCE_API_KEY is not set, and AUTH is "keys"',
    ],
    [
      'whose key is still a reference',
      { ...good, TASKFORCE_API_KEY: '@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/key)' },
      'environment: TASKFORCE_API_KEY is a reference to a key vault that Azure did not resolve',
    ],
    [
      'open to all on Azure',
      { ...good, AUTH: 'off', WEBSITE_SITE_NAME: 'x' },
      'environment: AUTH "off" is for one machine only',
    ],
    [
      'open to all on Kubernetes',
      { ...good, AUTH: 'off', KUBERNETES_SERVICE_HOST: 'x' },
      'environment: AUTH "off" is for one machine only',
    ],
    ['with a schedule that is none', { ...good, SWEEP_SCHEDULE: '* *' }, 'environment: SWEEP_SCHEDULE six fields'],
    [
      'with a password in an address',
      { ...good, AZURE_SEARCH_ENDPOINT: 'https://u:hunter2@x.example', AZURE_SEARCH_INDEX: 'docs' },
      'environment: AZURE_SEARCH_ENDPOINT a URL without a user name or password',
    ],
    [
      'with a user name in an address',
      { ...good, OPENAI_BASE_URL: 'http://hunter2@x.example/v1' },
      'environment: OPENAI_BASE_URL a URL without a user name or password',
    ],
    ['without a queue', { ...good, JOBS_STORAGE: undefined }, 'environment: JOBS_STORAGE is not set'],
  ]
  it.each(table)('%s is refused by name', (_, env, expected) => {
    expect(problemsOf(env)).toEqual([expect.stringContaining(expected)])
  })

  it('never shows a wrong value, which may be a secret in the wrong place', () => {
    expect(
      problemsOf({ ...good, DATABASE_URL: 'hunter2-secret', OPENAI_BASE_URL: 'https://u:hunter2@x' }).join(),
    ).not.toContain('hunter2')
  })

  const azure = { AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com', AZURE_OPENAI_DEPLOYMENT: 'main' }
  const models: [string, Record<string, string>, object][] = [
    ['none', {}, { provider: 'none' }],
    ['OpenAI', { OPENAI_API_KEY: 'sk' }, { provider: 'openai', name: 'gpt-5.4-mini', baseUrl: undefined }],
    ['a compatible server', { OPENAI_BASE_URL: 'http://o/v1' }, { provider: 'openai', baseUrl: 'http://o/v1' }],
    ['Azure OpenAI', azure, { provider: 'azure-openai', name: 'main', apiVersion: '2024-10-21' }],
    [
      'Azure OpenAI, although there is a key of OpenAI',
      { ...azure, OPENAI_API_KEY: 'sk' },
      { provider: 'azure-openai' },
    ],
  ]
  it.each(models)('names %s as its model', (_, env, model) => {
    expect(loadConfig({ ...good, ...env })).toMatchObject({ ok: true, config: { model } })
  })

  const account = 'https://acct.queue.core.windows.net'
  const zoned = 'https://acct.z12.queue.storage.azure.net/'
  const blobs: [string, Record<string, string>, string | undefined][] = [
    ['the blob service beside the queue', { queueServiceUri: account }, 'https://acct.blob.core.windows.net'],
    ['the one in its zone', { queueServiceUri: zoned }, 'https://acct.z12.blob.storage.azure.net/'],
    ['the one that is named', { queueServiceUri: account, blobServiceUri: 'https://b.example' }, 'https://b.example'],
    ['none beside a name of its own', { queueServiceUri: 'https://queue.example' }, undefined],
  ]
  it.each(blobs)('with an identity finds %s', (_, given, blobServiceUri) => {
    const storage = Object.entries(given).map(([name, value]) => [`JOBS_STORAGE__${name}`, value])
    const result = loadConfig({ ...good, JOBS_STORAGE: undefined, ...Object.fromEntries(storage) })
    expect(result).toMatchObject({ ok: true, config: { storage: { kind: 'identity', blobServiceUri } } })
    const warned = result.ok && result.config.warnings.some(({ key }) => key === 'JOBS_STORAGE__blobServiceUri')
    expect(warned).toBe(blobServiceUri === undefined)
  })

  const openai = { provider: 'openai', name: 'gpt-5.4-mini' }
  const halves: [string, Record<string, string>, string, object][] = [
    [
      'Azure OpenAI without a deployment',
      { AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com', AZURE_OPENAI_API_KEY: 'k' },
      'AZURE_OPENAI_DEPLOYMENT',
      { provider: 'none' },
    ],
    [
      'Azure OpenAI without a deployment beside OpenAI',
      { AZURE_OPENAI_ENDPOINT: 'https://x.openai.azure.com', OPENAI_API_KEY: 'sk' },
      'AZURE_OPENAI_DEPLOYMENT',
      openai,
    ],
    [
      'a key of Azure OpenAI alone',
      { AZURE_OPENAI_API_KEY: 'k', OPENAI_API_KEY: 'sk' },
      'AZURE_OPENAI_ENDPOINT',
      openai,
    ],
    [
      'AI Search without an index',
      { AZURE_SEARCH_ENDPOINT: 'https://x.example', AZURE_SEARCH_API_KEY: 'k', OPENAI_API_KEY: 'sk' },
      'AZURE_SEARCH_INDEX',
      openai,
    ],
    ['a key of AI Search alone', { AZURE_SEARCH_API_KEY: 'k', OPENAI_API_KEY: 'sk' }, 'AZURE_SEARCH_ENDPOINT', openai],
  ]
  it.each(halves)('with %s works without it, and names what is missing', (_, env, key, model) => {
    const warnings = [{ file: 'environment', key, reason: expect.stringMatching(/^is not set, so \w+ is not used$/) }]
    const result = loadConfig({ ...good, ...env })
    expect(result).toMatchObject({ ok: true, config: { model, search: undefined, warnings } })
  })

  it('that is whole has no warnings', () => {
    const search = { AZURE_SEARCH_ENDPOINT: 'https://x.example', AZURE_SEARCH_INDEX: 'docs', AZURE_SEARCH_API_KEY: 'k' }
    expect(loadConfig({ ...good, ...azure, ...search, AZURE_OPENAI_API_KEY: 'k' })).toMatchObject({
      config: { warnings: [] },
    })
  })

  it('has a search index, hybrid or not', () => {
    const search = { AZURE_SEARCH_ENDPOINT: 'https://x.search.windows.net', AZURE_SEARCH_INDEX: 'docs' }
    expect(loadConfig(good)).toMatchObject({ config: { search: undefined } })
    expect(loadConfig({ ...good, ...search })).toMatchObject({
      config: { search: { index: 'docs', vectorFields: [] } },
    })
    expect(loadConfig({ ...good, ...search, AZURE_SEARCH_KEY_FIELD: 'doc' })).toMatchObject({
      config: { search: { index: 'docs', keyField: 'doc' } },
    })
    expect(loadConfig({ ...good, ...search, AZURE_SEARCH_VECTOR_FIELDS: 'a, b,' })).toMatchObject({
      config: { search: { vectorFields: ['a', 'b'] } },
    })
  })

  it("takes the seed's SQLAlchemy form", () => {
    expect(problemsOf({ ...good, DATABASE_URL: 'postgresql+asyncpg://u:p@postgres:5432/taskforce' })).toEqual([])
  })
})

it('while the configuration is broken, "off" still counts on one machine only', () => {
  expect(rawAuth({ AUTH: 'off' }).mode).toBe('off')
  expect(rawAuth({ AUTH: 'off', WEBSITE_SITE_NAME: 'x' }).mode).toBe('keys')
})

/** Aliases that double with each line. */
const BOMB = ['a: &a0 [x]', ...Array.from({ length: 30 }, (_, n) => `b${n}: &a${n + 1} [*a${n}, *a${n}]`)].join('\n')

describe('profiles', () => {
  const tools = new Set([...createTools().keys(), ...optionalTools, ...controlTools.map(({ name }) => name)])

  it('that ship are valid', () => {
    const { byName, problems } = loadProfiles(profilesDir(), tools)
    expect(problems).toEqual([])
    expect([...byName.keys()].sort()).toEqual(['dev', 'production', 'staging'])
  })

  it('that are wrong are named with file, key and reason, and the others work', () => {
    const dir = mkdtempSync(join(tmpdir(), 'profiles-'))
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
    const right = readFileSync(join(profilesDir(), 'dev.yaml'), 'utf8')
    writeFileSync(join(dir, 'right.yaml'), right)
    writeFileSync(join(dir, 'torn.yaml'), 'model: {')
    writeFileSync(join(dir, 'typo.yaml'), `${right}\nmodle: {}\n`)
    writeFileSync(join(dir, 'tool.yaml'), right.replace('- calculate', '- calculator'))
    writeFileSync(join(dir, 'origin.yaml'), right.replace("'*'", "'example.com/path'"))
    writeFileSync(join(dir, 'short.yml'), right)
    writeFileSync(join(dir, '.hidden.yaml'), 'not: a profile')
    writeFileSync(join(dir, 'bomb.yaml'), BOMB)
    mkdirSync(join(dir, 'folder.yaml'))
    symlinkSync('/nowhere', join(dir, 'link.yaml'))
    const { byName, problems } = loadProfiles(dir, tools)
    expect([...byName.keys()].sort()).toEqual(['right', 'short'])
    expect(problems.map(({ file, key }) => [file, key]).sort()).toEqual([
      ['profiles/bomb.yaml', '(whole file)'],
      ['profiles/folder.yaml', '(whole file)'],
      ['profiles/link.yaml', '(whole file)'],
      ['profiles/origin.yaml', 'egress.allow.0'],
      ['profiles/tool.yaml', 'tools'],
      ['profiles/torn.yaml', expect.stringMatching(/^line \d/)],
      ['profiles/typo.yaml', '(whole file)'],
    ])
  })
})
