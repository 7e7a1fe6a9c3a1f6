import { TerminalError } from '../../domain/errors.ts'

type Place = { doing: 'start' | 'create its data folder'; dataDir: string; port?: number; output: string[] }

/**
 * One sentence for why Postgres ended, read from its last lines of output. The texts are those of Postgres 17 in the C
 * locale, which every start of ours sets.
 */
export function postgresFailure({ doing, dataDir, port, output }: Place): TerminalError {
  const text = output.join('\n')
  const error = (code: string, message: string) => new TerminalError(code, message, { cause: text })
  if (/could not bind .*Address already in use/.test(text))
    return error(
      'postgres_port_in_use',
      `Port ${port} on 127.0.0.1 is taken by another program: stop that program or choose another port for Postgres.`,
    )
  if (/No space left on device|Disk quota exceeded/.test(text)) return diskFull(dataDir, text)
  if (/pre-existing shared memory block/.test(text))
    return error(
      'postgres_backends_left',
      `Processes of an earlier Postgres on ${dataDir} are still running: end them (ps shows them as "postgres:") and start again.`,
    )
  const last = output.findLast((line) => /FATAL|PANIC|ERROR|error:/.test(line)) ?? output.at(-1) ?? 'no output'
  return error('postgres_not_started', `Postgres could not ${doing} (${dataDir}): ${last.trim()}`)
}

/** The sentence for a full disk, also for errors of Node's own file calls. */
export function diskFull(dataDir: string, cause: unknown): TerminalError {
  return new TerminalError(
    'postgres_disk_full',
    `The disk of ${dataDir} is full: free some space there (a new Postgres needs about 60 MB) and start again; nothing that was stored is lost.`,
    { cause },
  )
}
