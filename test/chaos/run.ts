import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EFFECTS_CONTAINER } from '../../src/engine/blob-effects.ts'
import type { History } from '../proof/history.ts'
import { loadHistory, readLedger } from '../proof/load-history.ts'
import { Random } from '../sim/random.ts'
import { startApi } from './api.ts'
import { bundleWorker } from '../proof/worker/bundle.ts'
import { Clients } from './clients.ts'
import { pause, recorderNow } from './clock.ts'
import { Fleet } from './fleet.ts'
import { Nemesis } from './nemesis.ts'
import { People } from './people.ts'
import { startPlace, type Place } from './place.ts'
import { startChaosProxy, type ChaosProxy } from './proxy.ts'
import { startReading, type Reading } from './reader.ts'
import { Requests } from './requests.ts'
import { startSampling, type Growth } from './samples.ts'
import type { ChaosSettings } from './settings.ts'

/** What a run left behind, and what is not in the history. */
export interface ChaosRun {
  history: History
  /** Milliseconds from the last fault until every mission had ended; undefined where that did not happen in time. */
  atRestMs: number | undefined
  /** How often readers were connected. */
  connections: number
  /** What the workers' telemetry told, with how often. */
  told: ReadonlyMap<string, number>
  growth: Growth[]
  /** Workers that did not end in time when they were asked to, at the very end. */
  stubborn: number
  /** Workers that ended by themselves, and how. */
  unasked: readonly string[]
}

const APIS = 2
const MOST_READERS = 40

/** One run of many missions under faults, from empty servers to its history. Its files are in `folder`. */
export async function runChaos(
  settings: ChaosSettings,
  folder: string,
  log: (line: string) => void,
): Promise<ChaosRun> {
  const [place, script] = await Promise.all([startPlace(folder), bundleWorker(folder)])
  const { seed, leaseMs, sweepMs } = settings
  const picks = new Random(seed, 'proxies')
  const pick = (below: number) => picks.int(0, below - 1)
  const proxies: ChaosProxy[] = []
  for (let n = 0; n < settings.workers + APIS; n++) proxies.push(await startChaosProxy(place.databasePort, pick))
  const urls = proxies.map((proxy) => proxy.by(place.appUrl))
  const ledger = join(folder, 'ledger.jsonl')
  await writeFile(ledger, '')
  const files = { ledger, script, log: join(folder, 'workers.jsonl') }
  const fleetSettings = { leaseMs, sweepMs, storageConnectionString: place.storage, ...files }
  const fleet = new Fleet(urls.slice(0, settings.workers), fleetSettings, seed)
  const { storage } = place
  const apis = await Promise.all(
    urls.slice(settings.workers).map((databaseUrl, n) => startApi({ databaseUrl, storage, ledger, seed: seed + n })),
  )
  const requests = new Requests(apis, new Random(seed, 'requests'))
  const over = new AbortController()
  const readings: Reading[] = []
  const clients = new Clients({ requests, tenants: place.tenants, seed }, (mission, { watched }) => {
    if (!watched || readings.filter(({ read }) => !read.whole).length >= MOST_READERS) return
    const addresses = apis.map(({ url }) => url)
    readings.push(startReading(addresses, mission, new Random(seed, `reader ${readings.length}`), over.signal))
  })
  const people = new People({ place, requests, clients, seed })
  await Promise.all(fleet.slots.map((slot) => fleet.start(slot, { wakeFaults: true })))
  const sampling = startSampling(fleet)
  const nemesis = new Nemesis({ place, fleet, proxies, ledger, leaseMs, seed, elder: settings.elder, log })
  const answering = people.work(over.signal)
  nemesis.start()
  const created = await createAtRate(clients, settings, log, place)
  const healedAt = await nemesis.stop()
  people.makeDiligent()
  log('everything is up again')
  const isAtRest = await comeToRest(
    place,
    [...created, ...readings.map(({ done }) => done)],
    healedAt + settings.restMs,
  )
  const atRestMs = isAtRest ? recorderNow() - healedAt : undefined
  log(atRestMs === undefined ? 'not at rest in time' : `at rest after ${Math.round(atRestMs)} ms`)
  over.abort()
  await answering
  const growth = sampling.stop()
  const stubborn = await fleet.stop()
  const written = readLedger(ledger)
  const claims = await claimsIn(place.storage)
  const history = await loadHistory(place.ownerUrl, {
    toolRuns: written.toolRuns,
    requests: requests.all,
    reads: readings.map(({ read }) => read),
    faults: [...nemesis.faults, ...written.faults.filter(({ at }) => at < healedAt)],
    claims,
    // Whatever failed five times was taken up and woken again, so nothing is left there.
    poisoned: 0,
    healedAt,
    endedAt: recorderNow(),
  })
  for (const { stop } of [...apis, ...proxies, place]) await stop()
  const connections = readings.reduce((sum, reading) => sum + reading.connections, 0)
  return { history, atRestMs, connections, told: fleet.told, growth, stubborn, unasked: fleet.unasked }
}

/** Gives what the clients are still doing. */
async function createAtRate(
  clients: Clients,
  { missions, minutes }: ChaosSettings,
  log: (line: string) => void,
  place: Place,
): Promise<Promise<void>[]> {
  const begun = recorderNow()
  const working: Promise<void>[] = []
  // The last ones too live through some faults.
  const everyMs = (minutes * 60_000 * 0.95) / missions
  for (let number = 0; number < missions; number++) {
    await pause(begun + number * everyMs - recorderNow())
    working.push(clients.one(number))
    if ((number + 1) % 100 === 0) log(`${number + 1} missions, of which ${await countOpen(place)} are open`)
  }
  await pause(begun + minutes * 60_000 - recorderNow())
  return working
}

/** Whether every mission ended, every client and every reader was done in time. */
async function comeToRest(place: Place, working: readonly Promise<void>[], until: number): Promise<boolean> {
  let isWorking = true
  void Promise.all(working).then(() => (isWorking = false))
  while (recorderNow() < until) {
    if (!isWorking && (await countOpen(place)) === 0) return true
    await pause(100)
  }
  return false
}

async function countOpen(place: Place): Promise<number> {
  const [row] = await place.sql<{ n: number }>(
    'select count(*)::int as n from taskforce.missions where ended_at is null',
  )
  return row?.n ?? 0
}

async function claimsIn(storage: string): Promise<string[]> {
  const { BlobServiceClient } = await import('@azure/storage-blob')
  const container = BlobServiceClient.fromConnectionString(storage).getContainerClient(EFFECTS_CONTAINER)
  const names: string[] = []
  for await (const { name } of container.listBlobsFlat()) names.push(name)
  return names
}
