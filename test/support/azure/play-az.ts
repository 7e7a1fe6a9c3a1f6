import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudFiles, copy, type Json } from './cloud-files.ts'

export interface AzCall {
  args: string[]
  env: Record<string, string>
  pid: string
  /** Aborted where the process has ended, which then has no effect any more. */
  gone: AbortSignal
}

export interface AzAnswer {
  code: number
  stdout: string
  stderr: string
}

/** As tests say it, in failures.json. */
interface PlayedFailure {
  match: string
  stderr: string
  times: number
  passes: number
  isLost?: boolean
}

class Failure extends Error {
  readonly code: number

  constructor(text: string, code = 1) {
    super(text)
    this.code = code
  }
}

/**
 * Plays a call of the Azure CLI: the folder `cloud` is what is in Azure. Every call is a line of calls.jsonl; failures.json says which
 * calls fail, with what, and how often.
 */
export async function playAz(cloud: string, call: AzCall): Promise<AzAnswer> {
  try {
    const stdout = await new Az(cloud, call).answer()
    return { code: 0, stdout: stdout === undefined ? '' : `${stdout}\n`, stderr: '' }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { code: error.code, stdout: '', stderr: `${error.message}\n` }
  }
}

class Az {
  readonly #cloud: CloudFiles
  readonly #call: AzCall
  readonly #verb: string

  constructor(cloud: string, call: AzCall) {
    this.#cloud = new CloudFiles(cloud)
    this.#call = call
    const flagsAt = call.args.findIndex((arg) => arg.startsWith('--'))
    this.#verb = call.args.slice(0, flagsAt < 0 ? call.args.length : flagsAt).join(' ')
  }

  async answer(): Promise<string | undefined> {
    const { args } = this.#call
    appendFileSync(this.#cloud.at('calls.jsonl'), `${JSON.stringify(args)}\n`)
    this.#keepParameters()
    const failure = this.#failAsAsked()
    await this.#hold('before')
    const play = this.#verbs[this.#verb]
    if (play === undefined)
      throw new Failure(`ERROR: '${this.#verb}' is misspelled or not recognized by the system.`, 2)
    const value = play()
    await this.#hold('after')
    if (failure !== undefined) throw failure
    return value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
  }

  #flag(name: string): string {
    const { args } = this.#call
    return args[args.indexOf(`--${name}`) + 1] ?? ''
  }

  /** What the parameter files would read. */
  #keepParameters(): void {
    const names = this.#cloud.read<string[]>('parameters.json', [])
    const read = Object.entries(this.#call.env).filter(([name]) => names.includes(name))
    const line = JSON.stringify({ verb: this.#verb, ...Object.fromEntries(read) })
    appendFileSync(this.#cloud.at('parameters.jsonl'), `${line}\n`)
  }

  /** Answers the failure of a call whose answer is lost, which does what it is asked to. */
  #failAsAsked(): Failure | undefined {
    const failures = this.#cloud.read<PlayedFailure[]>('failures.json', [])
    const failure = failures.find(({ match, times }) => times > 0 && this.#call.args.join(' ').includes(match))
    if (failure === undefined) return undefined
    const passes = failure.passes > 0
    failure[passes ? 'passes' : 'times'] -= 1
    this.#cloud.write('failures.json', failures)
    if (passes) return undefined
    if (failure.isLost === true) return new Failure(failure.stderr)
    if (this.#verb === 'deployment sub create') this.#keepGroup(null)
    throw new Failure(failure.stderr)
  }

  /** Until nobody holds it any more, or it is killed. */
  async #hold(when: string): Promise<void> {
    const { args, pid, gone } = this.#call
    const { match, passes, ...held } = this.#cloud.read('hold.json', { match: '', passes: 0, when })
    if (match === '' || held.when !== when || !args.join(' ').includes(match)) return
    if (passes > 0) return this.#cloud.write('hold.json', { match, passes: passes - 1, when })
    writeFileSync(this.#cloud.at('held.pid'), pid)
    while (this.#cloud.has('hold.json')) await sleep(20, undefined, { signal: gone })
  }

  #keepGroup(outputs: Json | null): void {
    const { env } = this.#call
    const name = `rg-taskforce-${env['TASKFORCE_ENVIRONMENT_NAME']}`
    // As bicep/shared.bicepparam gives them.
    const fromShell = this.#cloud.read<string[]>('remembered.json', []).map((one) => [one, env[one] ?? ''])
    if (outputs !== null)
      this.#cloud.write('from-shell.json', { ...this.#cloud.shells, [name]: Object.fromEntries(fromShell) })
    this.#cloud.write('group-regions.json', {
      ...this.#cloud.regions,
      [name]: this.#cloud.regions[name] ?? this.#flag('location'),
    })
    this.#cloud.write('groups.json', { ...this.#cloud.groups, [name]: outputs ?? this.#cloud.groups[name] ?? null })
  }

  /** Each answers what it prints; undefined: nothing. */
  readonly #verbs: Record<string, () => unknown> = {
    'account show': () => this.#cloud.read('account.json', {}),
    'provider list': () => this.#cloud.read('providers.json', []),
    'functionapp list-flexconsumption-locations': () =>
      this.#cloud.read(this.#call.args.includes('--zone-redundant') ? 'zonal-regions.json' : 'regions.json', []),
    'cognitiveservices model list': () => this.#cloud.read('models.json', []),
    'cognitiveservices usage list': () => this.#cloud.read('usage.json', []),
    'bicep version': () => this.#cloud.read('bicep-version.json', ''),
    'bicep build-params': () => this.#buildParameters(),
    'group show': () => {
      if (this.#cloud.groups[this.#flag('name')] === undefined) throw noGroup()
      return JSON.stringify(this.#cloud.regions[this.#flag('name')] ?? 'westeurope')
    },
    'group exists': () => this.#cloud.groups[this.#flag('name')] !== undefined,
    'postgres flexible-server list-skus': () => this.#cloud.read('sizes.json', []),
    'deployment group show': () => this.#showOutputs(),
    'postgres flexible-server list': () => {
      const servers = this.#cloud.read<unknown>('servers.json', undefined)
      if (servers === undefined) throw noGroup()
      return servers
    },
    'deployment sub what-if': () => '+ 42 to create',
    'deployment sub create': () => {
      const [, shape] = /(\w+)\.bicepparam/.exec(this.#flag('parameters')) ?? []
      const own = { AZURE_LOCATION: this.#flag('location'), TASKFORCE_ENVIRONMENT: shape }
      this.#keepGroup({ ...this.#cloud.read<Json>('outputs.json', {}), ...own })
    },
    rest: () => this.#rest(),
    'storage blob list': () =>
      this.#cloud.blobs
        .filter((name) => name.startsWith(this.#flag('prefix')))
        .map((name) => ({ name, metadata: this.#cloud.metadata[name] ?? null })),
    'storage blob upload': () => this.#upload(),
    'storage blob download': () => copy(this.#blobOf('name'), this.#flag('file')),
    'storage blob delete': () => rmSync(this.#cloud.at('blobs', this.#flag('name'))),
    'storage blob download-batch': () => {
      const [prefix = ''] = this.#flag('pattern').split('*')
      for (const name of this.#cloud.blobs.filter((one) => one.startsWith(prefix)))
        copy(this.#cloud.at('blobs', name), join(this.#flag('destination'), name))
    },
    'keyvault secret list': () => (this.#cloud.has('secret') ? ['taskforce-api-key'] : []),
    'keyvault secret set': () => {
      copyFileSync(this.#flag('file'), this.#cloud.at('secret'))
      return { value: readFileSync(this.#cloud.at('secret'), 'utf8') }
    },
    'keyvault secret show': () => readFileSync(this.#cloud.at('secret'), 'utf8'),
    'functionapp restart': () => this.#restart(),
    'functionapp deployment source config-zip': () =>
      copy(this.#flag('src'), this.#cloud.at('published', `${this.#flag('name')}.zip`)),
    'functionapp function keys list': () => this.#cloud.read('migrator-key.json', ''),
  }

  #buildParameters(): unknown {
    const [, shape = ''] = /(\w+)\.bicepparam/.exec(this.#flag('file')) ?? []
    const all = this.#cloud.read<Record<string, Record<string, { value: unknown }>>>('template-values.json', {})
    const parameters = all[shape] ?? {}
    const { OPENAI_CAPACITY: capacity, POSTGRES_SERVER_ID: server } = this.#call.env
    const [first] = (parameters['modelDeployments']?.value ?? []) as { capacity: number }[]
    if (capacity && first !== undefined) first.capacity = Number(capacity)
    if (server) parameters['postgresServerId'] = { value: server }
    return { parametersJson: JSON.stringify({ parameters }), templateJson: '{}' }
  }

  #showOutputs(): unknown {
    const group = this.#flag('resource-group')
    const outputs = this.#cloud.groups[group]
    if (outputs === undefined) throw noGroup()
    if (outputs === null)
      throw new Failure('ERROR: (DeploymentNotFound) Deployment taskforce-outputs could not be found.', 3)
    // None while it is deployed anew, for which az prints nothing.
    const silences = this.#cloud.read('silences.json', 0)
    this.#cloud.write('silences.json', silences - 1)
    return silences > 0 ? undefined : { environment: outputs, fromShell: this.#cloud.shells[group] ?? null }
  }

  #rest(): string | undefined {
    const url = this.#flag('url')
    if (url.includes('/Microsoft.Consumption/budgets')) {
      const start = this.#cloud.read<unknown>('budget-start.json', undefined)
      if (start === undefined) throw new Failure('ERROR: Not Found({"error":{"code":"ResourceGroupNotFound"}})')
      return JSON.stringify(start)
    }
    if (!url.includes('/refresh?')) return this.#cloud.has('resolved') ? 'Resolved' : 'SecretNotFound'
    writeFileSync(this.#cloud.at('refreshed'), '')
    return undefined
  }

  #blobOf(flag: string): string {
    const file = this.#cloud.at('blobs', this.#flag(flag))
    if (existsSync(file)) return file
    throw new Failure('ERROR: The specified blob does not exist. ErrorCode:BlobNotFound')
  }

  #upload(): void {
    const name = this.#flag('name')
    if (existsSync(this.#cloud.at('blobs', name)) && this.#flag('overwrite') === 'false')
      throw new Failure('ERROR: The specified blob already exists. ErrorCode:BlobAlreadyExists')
    copy(this.#flag('file'), this.#cloud.at('blobs', name))
    const [key = '', value] = (this.#call.args.includes('--metadata') ? this.#flag('metadata') : '=').split('=')
    this.#cloud.write('metadata.json', { ...this.#cloud.metadata, [name]: { [key]: value } })
  }

  /** With stale.json the app has another key than the vault; for ever, where it says so. */
  #restart(): void {
    if (!this.#cloud.has('refreshed')) return
    this.#cloud.remove('refreshed')
    writeFileSync(this.#cloud.at('resolved'), '')
    if (this.#cloud.read<string>('stale.json', '') !== 'for ever') this.#cloud.remove('stale.json')
  }
}

function noGroup(): Failure {
  return new Failure('ERROR: (ResourceGroupNotFound) Resource group could not be found.', 3)
}
