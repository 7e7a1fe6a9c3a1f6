import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { vi } from 'vitest'
import type { HostLogEntry } from '../../../src/local/host/protocol.ts'
import { type HostOptions, type RunningHost, startHost } from '../../../src/local/host/start-host.ts'

export type TestHost = RunningHost & { logs: HostLogEntry[]; folder: string }

const running: { stop: () => Promise<void>; folder: string }[] = []

/** Bundles a fixture as the real app is bundled and gives the paths that `startHost` wants. */
export async function bundleFixture(name: string, hostJson: object = {}): Promise<{ folder: string; bundle: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-host-'))
  const bundle = join(folder, 'index.cjs')
  await build({
    entryPoints: [new URL(`./fixtures/${name}.ts`, import.meta.url).pathname],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['@azure/functions-core'],
  })
  await writeFile(join(folder, 'host.json'), JSON.stringify({ version: '2.0', ...hostJson }))
  return { folder, bundle }
}

/** Starts a fixture under the host; `stopHosts` ends it. */
export async function runFixture(
  name: string,
  options: Partial<HostOptions> & { hostFile?: object } = {},
): Promise<TestHost> {
  const { folder, bundle } = await bundleFixture(name, options.hostFile ?? bare)
  const logs: HostLogEntry[] = []
  const settings = { bundle, hostJson: join(folder, 'host.json'), port: 0, drainMs: 200, env: {} }
  const starting = startHost({ ...settings, ...options, log: (entry) => logs.push(entry) })
  running.push({ folder, stop: async () => (await starting.catch(() => null))?.stop() })
  return { ...(await starting), logs, folder }
}

/** A host.json without a route prefix, as the app's own. */
export const bare = { extensions: { http: { routePrefix: '' } } }

export async function stopHosts(): Promise<void> {
  const ended = running.splice(0)
  await Promise.all(ended.map((host) => host.stop()))
  await Promise.all(ended.map((host) => rm(host.folder, { recursive: true, force: true })))
}

/** What the functions logged themselves, parsed. */
export function userLogs(host: TestHost, name: string): Record<string, unknown>[] {
  const entries = host.logs.filter((entry) => entry.category === `Function.${name}.User`)
  return entries.map((entry) => JSON.parse(entry.message) as Record<string, unknown>)
}

/** Waits for a line in the host's log. */
export async function logged(host: { logs: HostLogEntry[] }, text: string | RegExp): Promise<HostLogEntry> {
  const matches = (entry: HostLogEntry) =>
    typeof text === 'string' ? entry.message.includes(text) : text.test(entry.message)
  return vi.waitUntil(() => host.logs.find(matches), { timeout: 15_000, interval: 20 })
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
