import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isAlive } from '../../src/local/processes/process-info.ts'

/** Runs `body` in a process of its own, in which `say(value)` tells the test something. */
export async function parentProcess(body: string): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-parent-'))
  const script = join(folder, 'parent.ts')
  const source = new URL('../../src/local/', import.meta.url).href
  const imports = [
    `import { spawnGuarded } from '${source}processes/spawn-guarded.ts'`,
    `import { startPostgres } from '${source}postgres/start-postgres.ts'`,
    `import { startAzurite } from '${source}azurite/start-azurite.ts'`,
    `const say = (value: unknown) => console.log('said ' + JSON.stringify(value))`,
  ]
  await writeFile(script, [...imports, body, 'setInterval(() => undefined, 1000)'].join('\n'))
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  parent.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return parent
}

/** What the parent says next; throws where it ends without a word. */
export async function nextSaid<Said>(parent: ChildProcess): Promise<Said> {
  if (!parent.stdout) throw new Error('the parent has no output')
  const lines = createInterface({ input: parent.stdout })
  for await (const line of lines) if (line.startsWith('said ')) return JSON.parse(line.slice(5)) as Said
  throw new Error('the parent ended without a word')
}

/** The promise is 5 s; a busy machine gets 30 before the test gives up. */
export async function vanished(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 30_000 && isAlive(pid); waited += 50) await new Promise((wake) => setTimeout(wake, 50))
  return !isAlive(pid)
}
