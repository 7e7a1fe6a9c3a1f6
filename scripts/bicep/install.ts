import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { installedBicep, type Place } from './find-bicep.ts'
import { BICEP_VERSION, packageFor, projectFor } from './package.ts'

export interface Installed {
  version: string
  path: string
}

const run = promisify(execFile)

/**
 * Fetches the compiler by NuGet, since no npm package ships it; one that is there is left alone. Throws TerminalError
 * `bicep_not_installed` where it can't.
 */
export async function installBicep(place: Omit<Place, 'path'>): Promise<Installed> {
  const path = installedBicep(place)
  const name = packageFor(place.platform, place.arch)
  if (path === undefined || name === undefined)
    throw notInstalled(`NuGet has no Bicep compiler for ${place.platform} on ${place.arch}`)
  if (!existsSync(path)) await restore(name, join(place.root, '.bicep'))
  if (!existsSync(path)) throw notInstalled(`dotnet restore ended well, and ${path} is not there`)
  return { version: BICEP_VERSION, path }
}

async function restore(packageName: string, folder: string): Promise<void> {
  const project = mkdtempSync(join(tmpdir(), 'bicep-'))
  try {
    const file = join(project, 'bicep.csproj')
    writeFileSync(file, projectFor(packageName))
    await run('dotnet', ['restore', file, '--packages', folder], {
      env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' },
    })
  } catch (error) {
    throw notInstalled(whyNot(error), error)
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

const failureSchema = z.object({ code: z.unknown(), stdout: z.string().catch(''), stderr: z.string().catch('') })

/** dotnet writes its errors to either stream. */
function whyNot(error: unknown): string {
  const failure = failureSchema.safeParse(error).data
  if (failure?.code === 'ENOENT') return 'there is no dotnet on this machine'
  const line = `${failure?.stderr}\n${failure?.stdout}`.split('\n').find((text) => /error/i.test(text))
  return `dotnet restore failed${line === undefined ? '' : `: ${line.trim()}`}`
}

function notInstalled(reason: string, cause?: unknown): TerminalError {
  return new TerminalError('bicep_not_installed', `The Bicep compiler was not installed: ${reason}.`, {
    hint: 'Install the .NET SDK (https://dot.net) and repeat, or let "az bicep install" do it and put ~/.azure/bin on PATH. Without it the tests of bicep/ are skipped; everything else works.',
    cause,
  })
}
