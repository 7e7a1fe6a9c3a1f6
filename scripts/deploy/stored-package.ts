import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { fetchPackage, showPackage, storePackage } from './commands/blobs.ts'
import type { Package } from './package/build-package.ts'
import { placeFile } from './package/place-file.ts'
import { readOutput } from './read-output.ts'
import type { DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

const blobsSchema = z.array(z.looseObject({ name: z.string(), metadata: z.record(z.string(), z.string()).nullish() }))

/** Stores a package once: what is published later is these bytes. @throws TerminalError `package_differs` */
export async function keepPackage({ run, log }: Session, target: Target, made: Package): Promise<void> {
  const found = await readOutput(run, showPackage(target, made.blob), blobsSchema)
  const stored = found.find(({ name }) => name === made.blob)
  if (stored === undefined) return void (await run(storePackage(target, made, made.file)))
  if (stored.metadata?.['sha256'] === made.sha256) return log.say(`  ${made.blob} is stored already`)
  throw new TerminalError('package_differs', `${made.blob} is stored with other bytes than these.`, {
    hint: 'The same commit gave another package: are node_modules those of package-lock.json? Run npm ci, then this again.',
  })
}

/** The package of a deployment, as it was stored. @throws TerminalError `package_damaged` */
export async function bringPackage(
  session: Session,
  target: Target,
  { package: kept }: DeploymentRecord,
): Promise<string> {
  // Not where a build of the same commit lies: a download that is cut short would be published in its place.
  const file = join(session.packages, `${kept.sha256}.zip`)
  await placeFile(file, async (temporary) => {
    await session.run(fetchPackage(target, kept.blob, temporary))
    await requireSame(session, kept, temporary)
  })
  return file
}

async function requireSame(
  { environment: { shape } }: Session,
  { blob, sha256 }: DeploymentRecord['package'],
  file: string,
): Promise<void> {
  const found = createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
  if (found === sha256) return
  throw new TerminalError('package_damaged', `${blob} is not what was deployed: its SHA-256 is ${found}.`, {
    hint: `Deploy the commit again: git checkout COMMIT && npm ci && npm run deploy -- ${shape}`,
  })
}
