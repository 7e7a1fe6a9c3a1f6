import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEnvironment } from '../../src/local/environment.ts'
import { runCommand, typed } from './run-command.ts'
import { EXAMPLE_ORIGIN, stories, type Story } from './stories.ts'

const PAGE = `<!doctype html><title>Harbour office</title><nav>Home | Fees</nav><h1>Opening hours</h1>
<p>The harbour office is open from eight to five on weekdays. On Saturdays it closes at noon. Moorings are given out at
the counter only. Ships over forty metres call ahead.</p>`

/** All transcripts as Markdown, from a local environment of their own with the demo model. Takes about half a minute. */
export async function transcripts(log: (line: string) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-docs-'))
  const stops: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })]
  try {
    const page = await serve(stops)
    await writeProfiles(folder, page)
    const env = { ...withoutSettings(), DEMO_DELAY_MS: '60', PROFILES_DIR: join(folder, 'profiles') }
    const environment = await startEnvironment({ dataDir: join(folder, 'data'), port: 0, env, log })
    stops.push(() => environment.stop())
    const parts: string[] = []
    for (const story of stories) parts.push(await play(story, { url: environment.url, page, folder }))
    return parts.join('\n\n')
  } finally {
    for (const stop of stops.toReversed()) await stop()
  }
}

async function serve(stops: (() => unknown)[]): Promise<string> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(PAGE))
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  stops.push(() => server.close())
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

async function writeProfiles(folder: string, page: string): Promise<void> {
  await cp('profiles', join(folder, 'profiles'), { recursive: true })
  const dev = join(folder, 'profiles/dev.yaml')
  await writeFile(dev, (await readFile(dev, 'utf8')).replace("allow: ['*']", `allow: ['*', '${page}']`))
}

/** The demo model's words are what the page shows, whatever model this machine has a key for. */
function withoutSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AZURE_|OPENAI_|TASKFORCE_)/.test(name)))
}

interface Place {
  url: string
  page: string
  folder: string
}

async function play({ title, about, commands }: Story, place: Place): Promise<string> {
  const lines: string[] = []
  const known = { ID: '', QUESTION: '' }
  for (const command of commands) {
    const words = command.map((word) => known[word as keyof typeof known] ?? word)
    const real = words.map((word) =>
      word.replace(EXAMPLE_ORIGIN, place.page).replace(/^out\/$/, join(place.folder, 'out')),
    )
    const { output, code } = await runCommand([...real, '--url', place.url], withoutSettings())
    known.ID ||= /mission ([0-9a-f-]{36})/.exec(output)?.[1] ?? ''
    known.QUESTION ||= /\b(q\d+-\d+)\b/.exec(output)?.[1] ?? ''
    lines.push(`$ ${typed(words)}`, tidy(output, place), ...(code === 0 ? [] : [`(exit code ${code})`]), '')
  }
  return `## ${title}\n\n${about}\n\n\`\`\`text\n${lines.join('\n').trimEnd()}\n\`\`\``
}

/** Ports and folders are this run's own and nobody's business. */
function tidy(output: string, { url, page, folder }: Place): string {
  return output
    .replaceAll(page, EXAMPLE_ORIGIN)
    .replaceAll(` --url ${url}`, '')
    .replaceAll(/\S*\/out\//g, (path) => (path.includes(folder.split('/').at(-1) ?? '') ? 'out/' : path))
    .trimEnd()
}
