import { join, relative, resolve } from 'node:path'
import { makeSections } from '../../../src/backup/dump/make-sections.ts'
import { TerminalError } from '../../../src/domain/errors.ts'
import { binariesIn } from '../../../src/local/postgres/binaries.ts'
import { startThrowaway } from '../../../src/local/postgres/start-throwaway.ts'
import type { Context, SharedOptions } from '../context.ts'
import { EXIT } from '../run-words.ts'

interface Options extends SharedOptions {
  to?: string
  postgres?: string
}

/** Writes the sections of every schema revision, with a server and a pg_dump of Postgres 15 that it starts for that time. */
export async function makeSectionFiles(context: Context, { to = '', postgres = '', json }: Options): Promise<number> {
  const { terminal, cwd } = context
  const server = await startThrowaway(binariesIn(postgres)).catch((cause: unknown) => {
    throw new TerminalError('postgres_15_missing', `There is no Postgres 15 in ${postgres} that can be started.`, {
      hint: 'On Debian: apt-get install postgresql-15 postgresql-client-15. Elsewhere, name its folder with --postgres.',
      cause,
    })
  })
  try {
    const { superUrl } = server
    const written = await makeSections({ superUrl, pgDump: join(postgres, 'bin/pg_dump'), outDir: resolve(cwd, to) })
    const files = written.map((file) => relative(cwd, file))
    if (json) terminal.json({ files })
    else terminal.print(files)
    return EXIT.done
  } finally {
    await server.stop()
  }
}
