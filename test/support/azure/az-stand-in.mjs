// Plays the Azure CLI for tests: the folder STAND_IN is the cloud. Every call is a line of calls.jsonl; failures.json says which
// calls fail, with what, and how often.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

const cloud = process.env.STAND_IN
const args = process.argv.slice(2)
const at = (...parts) => join(cloud, ...parts)
appendFileSync(at('calls.jsonl'), `${JSON.stringify(args)}\n`)
const flag = (name) => args[args.indexOf(`--${name}`) + 1]
const flagsAt = args.findIndex((arg) => arg.startsWith('--'))
const verb = args.slice(0, flagsAt < 0 ? args.length : flagsAt).join(' ')
const print = (value) => process.stdout.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`)
const fail = (text, code = 1) => {
  process.stderr.write(`${text}\n`)
  process.exit(code)
}
const readJson = (name, otherwise) => (existsSync(at(name)) ? JSON.parse(readFileSync(at(name), 'utf8')) : otherwise)

// What the parameter files would read.
const read = Object.entries(process.env).filter(([name]) => readJson('parameters.json', []).includes(name))
appendFileSync(at('parameters.jsonl'), `${JSON.stringify({ verb, ...Object.fromEntries(read) })}\n`)

/** By group: what the shell of its last deployment gave, and where it is. */
const shells = () => readJson('from-shell.json', {})
const regions = () => readJson('group-regions.json', {})

/** Groups, and the outputs of what came to its end in each. */
const groups = () => readJson('groups.json', {})
const keepGroup = (outputs) => {
  const name = `rg-taskforce-${process.env.TASKFORCE_ENVIRONMENT_NAME}`
  // As bicep/shared.bicepparam gives them.
  const fromShell = readJson('remembered.json').map((one) => [one, process.env[one] ?? ''])
  if (outputs)
    writeFileSync(at('from-shell.json'), JSON.stringify({ ...shells(), [name]: Object.fromEntries(fromShell) }))
  const places = { ...regions(), [name]: regions()[name] ?? flag('location') }
  writeFileSync(at('group-regions.json'), JSON.stringify(places))
  writeFileSync(at('groups.json'), JSON.stringify({ ...groups(), [name]: outputs ?? groups()[name] ?? null }))
}

const failures = readJson('failures.json', [])
const failure = failures.find(({ match, times }) => times > 0 && args.join(' ').includes(match))
if (failure?.passes > 0) {
  failure.passes -= 1
  writeFileSync(at('failures.json'), JSON.stringify(failures))
} else if (failure) {
  failure.times -= 1
  writeFileSync(at('failures.json'), JSON.stringify(failures))
  if (verb === 'deployment sub create') keepGroup()
  fail(failure.stderr, failure.exit ?? 1)
}

if (existsSync(at('hold.json')) && args.join(' ').includes(readJson('hold.json')))
  writeFileSync(at('held.pid'), String(process.pid))
while (existsSync(at('hold.json')) && args.join(' ').includes(readJson('hold.json')))
  await new Promise((done) => setTimeout(done, 20))

const copy = (from, to) => {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}
const blobs = () =>
  existsSync(at('blobs'))
    ? readdirSync(at('blobs'), { recursive: true }).filter((name) => /\.(zip|json)$/.test(name))
    : []
const metadata = () => readJson('metadata.json', {})

const VERBS = {
  'account show': () => print(readJson('account.json')),
  'provider list': () => print(readJson('providers.json')),
  'functionapp list-flexconsumption-locations': () =>
    print(readJson(args.includes('--zone-redundant') ? 'zonal-regions.json' : 'regions.json')),
  'cognitiveservices usage list': () => print(readJson('usage.json')),
  'bicep version': () => print(readJson('bicep-version.json')),
  'bicep build-params': () => {
    const [, shape] = /(\w+)\.bicepparam/.exec(flag('file'))
    const parameters = readJson('template-values.json')[shape]
    const { OPENAI_CAPACITY: capacity, POSTGRES_SERVER_ID: server } = process.env
    if (capacity) parameters.modelDeployments.value[0].capacity = Number(capacity)
    if (server) parameters.postgresServerId = { value: server }
    print({ parametersJson: JSON.stringify({ parameters }), templateJson: '{}' })
  },
  'group show': () => {
    if (groups()[flag('name')] === undefined)
      fail('ERROR: (ResourceGroupNotFound) Resource group could not be found.', 3)
    print(JSON.stringify(regions()[flag('name')] ?? 'westeurope'))
  },
  'group exists': () => print(groups()[flag('name')] !== undefined),
  'postgres flexible-server list-skus': () => print(readJson('sizes.json')),
  'deployment group show': () => {
    const outputs = groups()[flag('resource-group')]
    if (outputs === undefined) fail('ERROR: (ResourceGroupNotFound) Resource group could not be found.', 3)
    if (outputs === null) fail('ERROR: (DeploymentNotFound) Deployment taskforce-outputs could not be found.', 3)
    // None while it is deployed anew, for which az prints nothing.
    const silences = readJson('silences.json', 0)
    writeFileSync(at('silences.json'), JSON.stringify(silences - 1))
    if (silences <= 0) print({ environment: outputs, fromShell: shells()[flag('resource-group')] ?? null })
  },
  'postgres flexible-server list': () => {
    const servers = readJson('servers.json')
    if (servers === undefined) fail('ERROR: (ResourceGroupNotFound) Resource group could not be found.', 3)
    print(servers)
  },
  'deployment sub what-if': () => print('+ 42 to create'),
  'deployment sub create': () => {
    const [, shape] = /(\w+)\.bicepparam/.exec(flag('parameters'))
    const own = { AZURE_LOCATION: flag('location'), TASKFORCE_ENVIRONMENT: shape }
    keepGroup({ ...readJson('outputs.json'), ...own })
  },
  rest: () => {
    if (flag('url').includes('/Microsoft.Consumption/budgets')) {
      const start = readJson('budget-start.json')
      if (start === undefined) fail('ERROR: Not Found({"error":{"code":"ResourceGroupNotFound"}})')
      print(JSON.stringify(start))
    } else if (flag('url').includes('/refresh?')) writeFileSync(at('refreshed'), '')
    else print(existsSync(at('resolved')) ? 'Resolved' : 'SecretNotFound')
  },
  'storage blob list': () =>
    print(
      blobs()
        .filter((name) => name.startsWith(flag('prefix')))
        .map((name) => ({ name, metadata: metadata()[name] ?? null })),
    ),
  'storage blob upload': () => {
    const name = flag('name')
    if (existsSync(at('blobs', name)) && flag('overwrite') === 'false')
      fail('ERROR: The specified blob already exists. ErrorCode:BlobAlreadyExists')
    copy(flag('file'), at('blobs', name))
    const [key, value] = (args.includes('--metadata') ? flag('metadata') : '=').split('=')
    writeFileSync(at('metadata.json'), JSON.stringify({ ...metadata(), [name]: { [key]: value } }))
  },
  'storage blob download': () => {
    if (!existsSync(at('blobs', flag('name')))) fail('ERROR: The specified blob does not exist. ErrorCode:BlobNotFound')
    copy(at('blobs', flag('name')), flag('file'))
  },
  'storage blob delete': () => rmSync(at('blobs', flag('name'))),
  'storage blob download-batch': () => {
    const [prefix] = flag('pattern').split('*')
    for (const name of blobs().filter((one) => one.startsWith(prefix)))
      copy(at('blobs', name), join(flag('destination'), name))
  },
  'keyvault secret list': () => print(existsSync(at('secret')) ? ['taskforce-api-key'] : []),
  'keyvault secret set': () => {
    copyFileSync(flag('file'), at('secret'))
    print(JSON.stringify({ value: readFileSync(at('secret'), 'utf8') }))
  },
  'keyvault secret show': () => print(readFileSync(at('secret'), 'utf8')),
  // With stale.json the app has another key than the vault; for ever, where it says so.
  'functionapp restart': () => {
    if (!existsSync(at('refreshed'))) return
    rmSync(at('refreshed'))
    writeFileSync(at('resolved'), '')
    if (readJson('stale.json') !== 'for ever') rmSync(at('stale.json'), { force: true })
  },
  'functionapp deployment source config-zip': () => copy(flag('src'), at('published', `${flag('name')}.zip`)),
  'functionapp function keys list': () => print(readJson('migrator-key.json')),
}
const play = VERBS[verb]
if (play === undefined) fail(`ERROR: '${verb}' is misspelled or not recognized by the system.`, 2)
play()
