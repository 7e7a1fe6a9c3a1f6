import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startEnvironment } from '../../src/local/environment.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'environment-'))
afterAll(() => rmSync(dataDir, { recursive: true }))

/** The first line that an environment with these settings says; its start ends there, with nothing running. */
async function firstLine(env: NodeJS.ProcessEnv): Promise<string> {
  const log = (line: string): never => {
    throw new Error(line)
  }
  const started = startEnvironment({ dataDir, port: 0, log, env })
  return started.then(
    () => 'started',
    (error: Error) => error.message,
  )
}

describe('before anything starts', () => {
  it('half of an optional part is said to be left out', async () => {
    expect(await firstLine({ AZURE_OPENAI_ENDPOINT: 'https://x.invalid' })).toBe(
      'Left out: environment: AZURE_OPENAI_DEPLOYMENT is not set, so AZURE_OPENAI_ENDPOINT is not used',
    )
  })

  it('all wrong settings are named at once, without their values', async () => {
    const said = await firstLine({ LOG_LEVEL: 'hunter2', OPENAI_BASE_URL: 'http://u:hunter2@x.invalid' })
    expect(said).toMatch(/^These settings are wrong:\n {2}environment: OPENAI_BASE_URL .*\n {2}environment: LOG_LEVEL /)
    expect(said).not.toContain('hunter2')
  })
})

it('npm start serves on port 7071, and keeps its data in .taskforce, unless told otherwise', () => {
  const help = execFileSync(process.execPath, ['scripts/start.ts', '--help'], { encoding: 'utf8' })
  const defaults = [...help.matchAll(/--(\w+) <.*\(default: "?([^")]+)"?\)/g)].map(([, name, value]) => [name, value])
  expect(Object.fromEntries(defaults)).toEqual({ port: '7071', data: '.taskforce' })
})
