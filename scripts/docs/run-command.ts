import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface Ran {
  output: string
  code: number
}

/** Runs `npm run mission -- WORDS` as a shell without a terminal does, standard error in its place in between. */
export async function runCommand(words: string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  const command = 'exec "$0" scripts/mission.ts "$@" 2>&1 </dev/null'
  const child = spawn('sh', ['-c', command, process.execPath, ...words], {
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)))
  const output = await text(child.stdout)
  return { output, code: await exited }
}

/** The command as a user types it. */
export function typed(words: string[]): string {
  return ['npm run mission --', ...words.map(quoted)].join(' ')
}

function quoted(word: string): string {
  if (/^[\w./:=-]+$/.test(word)) return word
  return word.includes('"') ? `'${word}'` : `"${word}"`
}
