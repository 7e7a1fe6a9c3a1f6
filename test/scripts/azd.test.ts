import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main } from '../../scripts/azd/main.ts'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'

const env = {
  AZURE_SUBSCRIPTION_ID: 'sub',
  AZURE_RESOURCE_GROUP: 'rg',
  AZURE_FUNCTION_APP_NAME: 'func-app',
  AZURE_MIGRATOR_APP_NAME: 'func-migrator',
  MIGRATOR_URL: 'https://func-migrator.azurewebsites.net',
  AZURE_KEY_VAULT_NAME: 'kv',
  API_KEY_SECRET_NAME: 'taskforce-api-key',
}
const MIGRATOR_KEY = 'canary-of-the-migrator-key'

/** Plays the vault, the resource manager and the migrator; what is asked of one host first meets its refusals. */
const asked: { line: string; headers: IncomingMessage['headers']; body: string }[] = []
const secrets = new Map<string, string>()
let refusals: Record<string, number[]> = {}
/** Of the app's setting that refers to the API key. */
let reference = 'Resolved'
/** Which packages the migrator answers as, one after another. */
let builds: (string | undefined)[] = []
let budget: string | undefined
let servers: object[] = []
/** What taskforce-outputs answers, one after another; empty: there is no such deployment. */
let deployments: object[] = []
let claims: object | undefined
/** What a place answers in place of what it should. */
let nonsense: { place: string; answer: string } | undefined
let folder = ''
const server = createServer((request, response) => {
  void (async () => {
    const host = String(request.headers['x-host'])
    const body = await text(request)
    asked.push({ line: `${request.method} ${host}${request.url}`, headers: request.headers, body })
    const [status, answer] = answerTo(host, request, body)
    response.writeHead(refusals[host]?.shift() ?? status, { 'content-type': 'application/json' }).end(answer)
  })()
})

function answerTo(host: string, { method, url = '' }: IncomingMessage, body: string): [number, string] {
  if (nonsense !== undefined && url.split('?')[0]?.endsWith(nonsense.place)) return [200, nonsense.answer]
  if (host === 'kv.vault.azure.net') {
    if (method === 'PUT') secrets.set(url, (JSON.parse(body) as { value: string }).value)
    return secrets.has(url) ? [200, '{"id":"x"}'] : [404, '{}']
  }
  if (url.includes('/listKeys')) return [200, JSON.stringify({ default: MIGRATOR_KEY })]
  if (url.includes('/TASKFORCE_API_KEY?')) return [200, JSON.stringify({ properties: { status: reference } })]
  if (url.includes('/budgets?')) return budget === undefined ? [404, '{}'] : [200, JSON.stringify(budgetsOf(budget))]
  if (url.includes('/flexibleServers?')) return [200, JSON.stringify({ value: servers })]
  if (url.includes('/deployments/taskforce-outputs?')) return deploymentAnswer()
  if (host === 'management.azure.com') return [200, '']
  return [200, JSON.stringify({ revision: 12, build: builds.length > 1 ? builds.shift() : builds[0] })]
}

function deploymentAnswer(): [number, string] {
  const answer = deployments.length > 1 ? deployments.shift() : deployments[0]
  return answer === undefined ? [404, '{"error":{"code":"DeploymentNotFound"}}'] : [200, JSON.stringify(answer)]
}

const deploymentOf = (fromShell: Record<string, string>, environment: Record<string, string> = {}) => ({
  properties: {
    outputs: {
      environment: { value: { TASKFORCE_ENVIRONMENT: 'dev', ...environment } },
      fromShell: { value: fromShell },
    },
  },
})

function budgetsOf(startDate: string): object {
  const of = (name: string, start: string) => ({ name, properties: { timePeriod: { startDate: start } } })
  return { value: [of('budget-of-others', '2020-01-01T00:00:00Z'), of('budget-taskforce-blue', startDate)] }
}

const serverOf = (name: string, storageSizeGB: number) => ({ name, properties: { storage: { storageSizeGB } } })

let base = ''
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(async () => {
  asked.length = 0
  secrets.clear()
  refusals = {}
  reference = 'Resolved'
  builds = [undefined]
  budget = undefined
  servers = []
  deployments = []
  nonsense = undefined
  claims = { idtyp: 'user', scp: 'user_impersonation' }
  folder = await mkdtemp(join(tmpdir(), 'taskforce-azd-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** All of Azure is behind one address; the host that was meant goes along. */
const toServer: typeof fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input)
  return fetch(`${base}${url.pathname}${url.search}`, {
    ...init,
    headers: { ...(init?.headers as Record<string, string>), 'x-host': url.host },
  })
}

async function run(words: string[], settings: Record<string, string> = {}, { signedOut = false } = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const streams = { stdin, stdout, stderr } as unknown as Streams
  const waits: number[] = []
  const clock = { monotonic: () => 0, sleep: (ms: number) => Promise.resolve(void waits.push(ms)) }
  const payload = claims === undefined ? '' : `.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
  const token = (scope: string) =>
    signedOut
      ? Promise.reject(new Error('no credential'))
      : Promise.resolve(`token-for-${new URL(scope).host.replaceAll('.', '-')}${payload}`)
  const code = await main(words, {
    env: { ...env, ...settings },
    cwd: folder,
    terminal: createTerminal(streams, {}),
    azure: { token, fetch: toServer, clock },
    now: () => new Date('2026-11-29T12:00:00Z'),
  })
  stdout.end()
  stderr.end()
  return { code, out: await text(stdout), err: await text(stderr), waits }
}

describe('npm run azd -- api-key', () => {
  it('makes a key that nobody sees, once', async () => {
    const { code, out, err } = await run(['api-key', '--json'])
    expect({ code, out: JSON.parse(out) as unknown }).toEqual({ code: 0, out: { apiKey: 'made' } })
    const [key = ''] = secrets.values()
    expect(key.length).toBeGreaterThanOrEqual(40)
    expect(`${out}${err}`).not.toContain(key)
    expect(asked.map(({ line }) => line.split('?')[0])).toEqual([
      'GET kv.vault.azure.net/secrets/taskforce-api-key',
      'PUT kv.vault.azure.net/secrets/taskforce-api-key',
    ])
    expect(asked[0]?.headers.authorization).toMatch(/^Bearer token-for-vault-azure-net\./)
    expect(JSON.parse((await run(['api-key', '--json'])).out)).toEqual({ apiKey: 'there' })
    expect([...secrets.values()]).toEqual([key])
  })

  it('waits for a role that is not known yet, and says what to do when it never is', async () => {
    refusals = { 'kv.vault.azure.net': [403, 403] }
    expect(await run(['api-key'])).toMatchObject({ code: 0, waits: [5_000, 10_000] })
    refusals = { 'kv.vault.azure.net': Array<number>(20).fill(403) }
    const { code, err } = await run(['api-key'])
    expect(code).toBe(1)
    expect(err).toContain('kv.vault.azure.net says 403')
    expect(err).toContain('inside the virtual network')
  })
})

/** Calls in short: the last two parts of a path of the resource manager, or the whole. */
function shortCalls(): string[] {
  return asked.map(({ line }) => {
    const [path = ''] = line.split('?')
    const [method = '', place = ''] = path.split(' ')
    return place.startsWith('management.') ? `${method} ${place.split('/').slice(-2).join('/')}` : path
  })
}

/** What azd has just published, in place of a real package. */
async function publish(build: string): Promise<void> {
  await mkdir(join(folder, '.azure-package/dist'), { recursive: true })
  await writeFile(join(folder, '.azure-package/dist/build.json'), JSON.stringify({ build }))
}

const [OLD, NEW] = ['0123456789abcdef', 'fedcba9876543210']

describe('npm run azd -- migrate', () => {
  it('makes the login and migrates, and leaves an app that has found its key alone', async () => {
    const { code, out, err } = await run(['migrate', '--json'])
    expect({ code, out: JSON.parse(out) as unknown }).toEqual({ code: 0, out: { revision: 12 } })
    expect(shortCalls()).toEqual([
      'POST migrate/listKeys',
      'POST func-migrator.azurewebsites.net/migrate',
      'GET appsettings/TASKFORCE_API_KEY',
    ])
    expect(asked[1]?.headers['x-functions-key']).toBe(MIGRATOR_KEY)
    expect(JSON.parse(asked[1]?.body ?? '')).toEqual({ action: 'all' })
    expect(`${out}${err}`).not.toContain(MIGRATOR_KEY)
  })

  it('has an app that has not found its key look again, and then starts it anew', async () => {
    reference = 'SecretNotFound'
    expect((await run(['migrate'])).code).toBe(0)
    expect(shortCalls().slice(2)).toEqual([
      'GET appsettings/TASKFORCE_API_KEY',
      'POST appsettings/refresh',
      'POST func-app/restart',
    ])
  })

  it('waits until the package that was published is the one that answers', async () => {
    await publish(NEW)
    builds = [undefined, OLD, NEW]
    const { code, waits, err } = await run(['migrate'])
    expect({ code, waits }).toEqual({ code: 0, waits: [5_000, 10_000] })
    expect(err).toContain(`another package still answers (build ${OLD}, published was ${NEW})`)
  })

  it('says in the end that the package is not there, and starts nothing', async () => {
    await publish(NEW)
    builds = [OLD]
    reference = 'SecretNotFound'
    const { code, err } = await run(['migrate'])
    expect(code).toBe(1)
    expect(err).toContain('"azd deploy" publishes both apps')
    expect(shortCalls()).not.toContain('POST func-app/restart')
  })

  it('waits for a migrator that does not answer yet', async () => {
    refusals = { 'func-migrator.azurewebsites.net': [404, 503] }
    expect(await run(['migrate'])).toMatchObject({ code: 0, waits: [5_000, 10_000] })
  })

  it.each([
    ['/listKeys', '{"default":7}', '/func-migrator/functions/migrate/listKeys of management.azure.com', 'default: '],
    ['/migrate', '{"revision":"canary"}', 'POST /migrate of func-migrator.azurewebsites.net', 'revision: '],
    ['/TASKFORCE_API_KEY', '[]', '/appsettings/TASKFORCE_API_KEY of management.azure.com', 'all of it: '],
  ])('says what was asked where %s answers %s', async (place, answer, question, wrong) => {
    nonsense = { place, answer }
    const { code, err } = await run(['migrate'])
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining(question) })
    expect(err).toContain(wrong)
    expect(err).toContain('azd hooks run postdeploy')
    expect(err).not.toMatch(/canary|ZodError/)
  })

  it('says so where the answer is a page and not JSON', async () => {
    nonsense = { place: '/listKeys', answer: '<html>' }
    expect((await run(['migrate'])).err).toContain('management.azure.com says something that is no JSON')
  })

  it('does not ask again what is wrong in itself', async () => {
    refusals = { 'func-migrator.azurewebsites.net': [400] }
    const { code, waits, err } = await run(['migrate'])
    expect({ code, waits }).toEqual({ code: 1, waits: [] })
    expect(err).not.toContain(MIGRATOR_KEY)
  })
})

it('says what azd has not given, and who is not signed in', async () => {
  const unset = await run(['migrate'], { AZURE_SUBSCRIPTION_ID: '' })
  expect(unset.code).toBe(1)
  expect(unset.err).toContain('no AZURE_SUBSCRIPTION_ID')
  const signedOut = await run(['migrate'], {}, { signedOut: true })
  expect(signedOut.err).toContain('azd auth login')
  expect((await run(['what'])).code).toBe(2)
})

/** On PATH as azd, and keeps the words that it was called with. */
async function standInForAzd(body = ''): Promise<{ env: Record<string, string>; calls(): Promise<string[][]> }> {
  const log = join(folder, 'azd.jsonl')
  await writeFile(
    join(folder, 'azd'),
    `#!${process.execPath}
    require('node:fs').appendFileSync(${JSON.stringify(log)}, JSON.stringify(process.argv.slice(2)) + '\\n')
    ${body}`,
    { mode: 0o755 },
  )
  const read = async () => (await readFile(log, 'utf8').catch(() => '')).trim().split('\n')
  return {
    env: {
      AZURE_ENV_NAME: 'blue',
      TASKFORCE_ENVIRONMENT: 'dev',
      AZURE_PRINCIPAL_TYPE: 'User',
      PATH: [folder, process.env.PATH].join(delimiter),
    },
    calls: async () => (await read()).filter((line) => line !== '').map((line) => JSON.parse(line) as string[]),
  }
}

const setting = (name: string, value: string) => ['env', 'set', name, value, '--environment', 'blue', '--no-prompt']

describe('npm run azd -- parameters', () => {
  it('gives the templates the month of the budget and the storage that are there', async () => {
    budget = '2026-09-01T00:00:00Z'
    servers = [serverOf('psql-taskforce-abc', 256)]
    const azd = await standInForAzd()
    const { code, out } = await run(['parameters', '--json'], azd.env)
    const changed = { BUDGET_START: '2026-09-01', POSTGRES_STORAGE_GB: '256' }
    expect({ code, out: JSON.parse(out) as unknown }).toEqual({ code: 0, out: { changed } })
    expect(await azd.calls()).toEqual([setting('BUDGET_START', '2026-09-01'), setting('POSTGRES_STORAGE_GB', '256')])
    expect(asked.map(({ line }) => line.split('?')[0])).toEqual([
      'GET management.azure.com/subscriptions/sub/resourceGroups/rg-taskforce-blue/providers/Microsoft.Resources/deployments/taskforce-outputs',
      'GET management.azure.com/subscriptions/sub/resourceGroups/rg-taskforce-blue/providers/Microsoft.Consumption/budgets',
      'GET management.azure.com/subscriptions/sub/resourceGroups/rg-taskforce-blue/providers/Microsoft.DBforPostgreSQL/flexibleServers',
    ])
  })

  it.each([
    ['that azd has already', { BUDGET_START: '2026-09-01', POSTGRES_STORAGE_GB: '256' }],
    ['that is smaller than what is asked for', { BUDGET_START: '2026-09-01', POSTGRES_STORAGE_GB: '512' }],
    ['of somebody else', { BUDGET_START: '2026-09-01', POSTGRES_SERVER_ID: '/subscriptions/other' }],
    ['of which it is not clear which is ours', { BUDGET_START: '2026-09-01', two: 'servers' }],
  ])('changes nothing for storage %s', async (_, settings) => {
    budget = '2026-09-01T00:00:00Z'
    servers = [serverOf('psql-taskforce-abc', 256)]
    if ('two' in settings) servers.push(serverOf('psql-restored', 512))
    const azd = await standInForAzd()
    const { code, out } = await run(['parameters', '--json'], { ...azd.env, ...(settings as Record<string, string>) })
    expect({ code, out: JSON.parse(out) as unknown }).toEqual({ code: 0, out: { changed: {} } })
    expect(await azd.calls()).toEqual([])
  })

  it('of two servers takes the one that the environment runs on', async () => {
    servers = [serverOf('psql-restored', 512), serverOf('psql-taskforce-abc', 256)]
    const azd = await standInForAzd()
    await run(['parameters'], { ...azd.env, POSTGRES_HOST: 'psql-taskforce-abc.postgres.database.azure.com' })
    expect(await azd.calls()).toEqual([setting('POSTGRES_STORAGE_GB', '256')])
  })

  it('takes away the month of a budget that is no longer there, which Azure would not take', async () => {
    const azd = await standInForAzd()
    await run(['parameters'], { ...azd.env, BUDGET_START: '2026-09-01' })
    await run(['parameters'], { ...azd.env, BUDGET_START: '2026-11-01' })
    expect(await azd.calls()).toEqual([setting('BUDGET_START', '')])
  })

  it('asks nobody before there is a subscription, and says how to name it', async () => {
    const azd = await standInForAzd()
    const { code, err } = await run(['parameters'], { ...azd.env, AZURE_SUBSCRIPTION_ID: '' })
    expect(code).toBe(1)
    expect(err).toContain('azd env set AZURE_SUBSCRIPTION_ID ID --environment blue')
    expect([asked, await azd.calls()]).toEqual([[], []])
  })

  it('says what it could not read, and goes on after seconds', async () => {
    servers = [serverOf('psql-taskforce-abc', 256)]
    budget = 'unreadable'
    const azd = await standInForAzd()
    const { code, err } = await run(['parameters'], azd.env)
    expect(code).toBe(0)
    expect(err).toContain('The budget was not read')
    expect(await azd.calls()).toEqual([setting('POSTGRES_STORAGE_GB', '256')])
  })

  it('fails where azd does not keep it, with what to do by hand', async () => {
    budget = '2026-09-01T00:00:00Z'
    const azd = await standInForAzd(`console.error('no such environment'); process.exit(3)`)
    const failed = await run(['parameters'], azd.env)
    expect(failed.code).toBe(1)
    expect(failed.err).toContain('azd did not keep BUDGET_START: no such environment.')
    expect(failed.err).toContain('azd env set BUDGET_START "2026-09-01" --environment blue')
    const without = await run(['parameters'], { ...azd.env, PATH: '/nowhere' })
    expect(without.err).toContain('there is no azd on PATH')
  })
})

const RESTORED =
  '/subscriptions/sub/resourceGroups/rg-taskforce-blue/providers/Microsoft.DBforPostgreSQL/flexibleServers/psql-restored'

describe('npm run azd -- parameters, where the environment is there', () => {
  it('gives what the deployment before took from its shell and azd lacks, so that no other server and no mail is lost', async () => {
    deployments = [deploymentOf({ ALERT_EMAILS: 'a@b.c,d@e.f', POSTGRES_SERVER_ID: RESTORED, OPENAI_CAPACITY: '' })]
    servers = [serverOf('psql-taskforce-abc', 256)]
    const azd = await standInForAzd()
    const { code, err } = await run(['parameters'], azd.env)
    expect(code).toBe(0)
    const marks = new URLSearchParams({ ALERT_EMAILS: 'a@b.c,d@e.f', POSTGRES_SERVER_ID: RESTORED }).toString()
    // And no storage: the server of somebody else is not changed.
    expect(await azd.calls()).toEqual([
      setting('TASKFORCE_KEPT', marks),
      setting('ALERT_EMAILS', 'a@b.c,d@e.f'),
      setting('POSTGRES_SERVER_ID', RESTORED),
    ])
    expect(err).toContain(
      'as before: ALERT_EMAILS=a@b.c,d@e.f (azd env set ALERT_EMAILS "" --environment blue takes it back)',
    )
  })

  it('leaves what a person has set or emptied, and says where that is different', async () => {
    deployments = [deploymentOf({ ALERT_EMAILS: 'a@b.c', POSTGRES_SERVER_ID: RESTORED })]
    const azd = await standInForAzd()
    const { err } = await run(['parameters'], { ...azd.env, ALERT_EMAILS: 'x@y.z', POSTGRES_SERVER_ID: '' })
    expect(await azd.calls()).toEqual([])
    expect(err).toContain('ALERT_EMAILS is "x@y.z" in azd\'s environment, and was "a@b.c"')
    expect(err).toContain(`POSTGRES_SERVER_ID is "" in azd's environment, and was "${RESTORED}"`)
  })

  it('has what it kept follow the infrastructure, and what a person set over it no more', async () => {
    const kept = {
      TASKFORCE_KEPT: new URLSearchParams({ ALERT_EMAILS: 'a@b.c', ALLOWED_ADDRESSES: '10.1.1.1' }).toString(),
    }
    deployments = [deploymentOf({ ALERT_EMAILS: '', ALLOWED_ADDRESSES: '10.1.1.1', POSTGRES_SERVER_ID: RESTORED })]
    const azd = await standInForAzd()
    await run(['parameters'], { ...azd.env, ...kept, ALERT_EMAILS: 'a@b.c', ALLOWED_ADDRESSES: '10.2.2.2' })
    expect(await azd.calls()).toEqual([
      setting('TASKFORCE_KEPT', new URLSearchParams({ ALERT_EMAILS: '', POSTGRES_SERVER_ID: RESTORED }).toString()),
      setting('ALERT_EMAILS', ''),
      setting('POSTGRES_SERVER_ID', RESTORED),
    ])
  })

  it('lets a value of a person win until it is deployed, and then follow what others set', async () => {
    deployments = [deploymentOf({ POSTGRES_SERVER_ID: RESTORED, ALERT_EMAILS: 'a@b.c' })]
    const azd = await standInForAzd()
    const person = { ...azd.env, POSTGRES_SERVER_ID: '', ALERT_EMAILS: 'x@y.z' }
    await run(['parameters'], person)
    expect(await azd.calls()).toEqual([])
    // The provision failed, or that of one value: nothing of it is marked that is not there.
    deployments = [deploymentOf({ POSTGRES_SERVER_ID: '', ALERT_EMAILS: 'a@b.c' })]
    expect((await run(['mark-deployed'], person)).code).toBe(0)
    const marks = new URLSearchParams({ POSTGRES_SERVER_ID: '' }).toString()
    expect(await azd.calls()).toEqual([setting('TASKFORCE_KEPT', marks)])
    deployments = [deploymentOf({ POSTGRES_SERVER_ID: RESTORED, ALERT_EMAILS: 'a@b.c' })]
    const { err } = await run(['parameters'], { ...person, TASKFORCE_KEPT: marks })
    expect((await azd.calls()).slice(1)).toEqual([
      setting('TASKFORCE_KEPT', new URLSearchParams({ POSTGRES_SERVER_ID: RESTORED }).toString()),
      setting('POSTGRES_SERVER_ID', RESTORED),
    ])
    expect(err).toContain('ALERT_EMAILS is "x@y.z"')
  })

  it('marks before the next deployment what the last one could not', async () => {
    deployments = [deploymentOf({ POSTGRES_SERVER_ID: '', ALERT_EMAILS: 'a@b.c' })]
    const azd = await standInForAzd()
    const settings = { ...azd.env, POSTGRES_SERVER_ID: '', ALERT_EMAILS: 'a@b.c' }
    await run(['parameters'], settings)
    const marks = new URLSearchParams({ ALERT_EMAILS: 'a@b.c', POSTGRES_SERVER_ID: '' }).toString()
    expect(await azd.calls()).toEqual([setting('TASKFORCE_KEPT', marks)])
    expect(JSON.parse((await run(['mark-deployed', '--json'], { ...settings, TASKFORCE_KEPT: marks })).out)).toEqual({
      changed: {},
    })
  })

  it('says where it could not mark, and fails nothing that comes after a deployment', async () => {
    deployments = [deploymentOf({ ALERT_EMAILS: 'a@b.c' })]
    refusals = { 'management.azure.com': Array<number>(5).fill(403) }
    const azd = await standInForAzd()
    const { code, err } = await run(['mark-deployed'], { ...azd.env, ALERT_EMAILS: 'a@b.c' })
    expect({ code, calls: await azd.calls() }).toEqual({ code: 0, calls: [] })
    expect(err).toContain('was not marked')
  })

  it('changes nothing the second time', async () => {
    deployments = [deploymentOf({ ALERT_EMAILS: 'a@b.c' })]
    const azd = await standInForAzd()
    await run(['parameters'], azd.env)
    const set = Object.fromEntries((await azd.calls()).map(([, , name, value]) => [name, value]))
    const { out } = await run(['parameters', '--json'], { ...azd.env, ...set })
    expect(JSON.parse(out)).toEqual({ changed: {} })
  })

  it('takes the server from there, whatever azd heard of last', async () => {
    deployments = [deploymentOf({}, { POSTGRES_HOST: 'psql-new.postgres.database.azure.com' })]
    servers = [serverOf('psql-old', 512), serverOf('psql-new', 256)]
    const azd = await standInForAzd()
    await run(['parameters'], { ...azd.env, POSTGRES_HOST: 'psql-old.postgres.database.azure.com' })
    expect(await azd.calls()).toEqual([setting('POSTGRES_STORAGE_GB', '256')])
  })

  it.each([
    ['blue', '', 'TASKFORCE_ENVIRONMENT is not set', 'TASKFORCE_ENVIRONMENT SHAPE --environment blue'],
    ['blue', 'prod', 'TASKFORCE_ENVIRONMENT is prod', 'SHAPE is dev, staging or production.'],
    ['Production', 'dev', 'called like a shape, and TASKFORCE_ENVIRONMENT is dev', 'TASKFORCE_ENVIRONMENT production'],
  ])('guesses no shape: %s with %j', async (AZURE_ENV_NAME, TASKFORCE_ENVIRONMENT, why, hint) => {
    const azd = await standInForAzd()
    const { code, err } = await run(['parameters'], { ...azd.env, AZURE_ENV_NAME, TASKFORCE_ENVIRONMENT })
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining(why) })
    expect(err).toContain(hint)
    // Pasted as it is, it must not be a pipe or write to a file.
    expect(err).not.toMatch(/[|<>]/)
    expect({ asked, calls: await azd.calls() }).toEqual({ asked: [], calls: [] })
  })

  it('has the shape of its name, where that is one', async () => {
    deployments = [deploymentOf({}, { TASKFORCE_ENVIRONMENT: 'staging' })]
    const azd = await standInForAzd()
    const called = { ...azd.env, AZURE_ENV_NAME: 'staging', TASKFORCE_ENVIRONMENT: '' }
    expect((await run(['parameters'], called)).code).toBe(0)
  })

  it('refuses another shape than the one that is there', async () => {
    deployments = [deploymentOf({ ALERT_EMAILS: 'a@b.c' }, { TASKFORCE_ENVIRONMENT: 'staging' })]
    const azd = await standInForAzd()
    const { code, err } = await run(['parameters'], azd.env)
    expect(code).toBe(1)
    expect(err).toContain('blue is made as staging, and azd would make it dev.')
    expect(err).toContain('azd env set TASKFORCE_ENVIRONMENT staging --environment blue')
    expect(await azd.calls()).toEqual([])
    expect((await run(['parameters'], { ...azd.env, TASKFORCE_ENVIRONMENT: 'staging' })).code).toBe(0)
  })

  it('waits for a deployment that somebody makes, and goes on without none that it could not read', async () => {
    const azd = await standInForAzd()
    deployments = [{ properties: { provisioningState: 'Running' } }, deploymentOf({ ALERT_EMAILS: 'a@b.c' })]
    expect(await run(['parameters'], azd.env)).toMatchObject({ code: 0, waits: [2_000] })
    deployments = [{ properties: { provisioningState: 'Running', outputs: null } }]
    const running = await run(['parameters'], azd.env)
    expect(running).toMatchObject({ code: 1, waits: [2_000, 5_000, 10_000, 15_000] })
    expect(running.err).toContain('POSTGRES_SERVER_ID')
    deployments = [{ properties: { outputs: { other: {} } } }]
    expect(await run(['parameters'], azd.env)).toMatchObject({ code: 1 })
    refusals = { 'management.azure.com': Array<number>(5).fill(403) }
    expect(await run(['parameters'], azd.env)).toMatchObject({ code: 1 })
  })

  it.each([
    ['an app', { idtyp: 'app' }, 'ServicePrincipal'],
    ['an app that does not say so', { oid: 'x' }, 'ServicePrincipal'],
    ['a person', { idtyp: 'user' }, 'User'],
    ['a person who does not say so', { scp: 'user_impersonation' }, 'User'],
  ])('tells the templates that %s deploys', async (_, payload, type) => {
    claims = payload
    const azd = await standInForAzd()
    const other = type === 'User' ? 'ServicePrincipal' : ''
    await run(['parameters'], { ...azd.env, AZURE_PRINCIPAL_TYPE: other })
    expect(await azd.calls()).toEqual([setting('AZURE_PRINCIPAL_TYPE', type)])
  })

  it('says what it could not read of a token', async () => {
    claims = undefined
    const azd = await standInForAzd()
    const { code, err } = await run(['parameters'], azd.env)
    expect(code).toBe(0)
    expect(err).toContain('azd env set AZURE_PRINCIPAL_TYPE ServicePrincipal --environment blue')
    expect(await azd.calls()).toEqual([])
  })
})
