import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Cost {
  seconds: number
  /** Of the client's processes alone, user and system. */
  cpuSeconds: number
}

/** `pg_dump -Fp` through a compressor into a file. */
export function dumpThrough(compressor: 'zstd -3 -q' | 'gzip -6', superUrl: string, file: string): Promise<Cost> {
  return shell(`pg_dump -Fp --schema=taskforce "$1" | ${compressor} > "$2"`, [superUrl, file])
}

/** The same file as ours, in one transaction. */
export function restoreWithPsql(superUrl: string, file: string): Promise<Cost> {
  return shell('zstd -dcq "$2" | psql -X -q -1 -v ON_ERROR_STOP=1 "$1" > /dev/null', [superUrl, file])
}

/** Bash tells the CPU time of what it has waited for: the second line of `times`. */
async function shell(pipeline: string, args: string[]): Promise<Cost> {
  const begun = performance.now()
  const script = `set -o pipefail; ${pipeline} || exit 1; times`
  const { stdout } = await run('bash', ['-c', script, 'bench', ...args], {
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  })
  const seconds = (performance.now() - begun) / 1000
  const [, ofChildren = ''] = stdout.trim().split('\n')
  const cpuSeconds = ofChildren
    .split(' ')
    .map((time) => /^(\d+)m([\d.]+)s$/.exec(time) ?? [])
    .reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0)
  return { seconds, cpuSeconds }
}
