import { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import { listPostgresSizes } from '../commands/subscription.ts'
import type { Session } from '../session.ts'
import { readOrTell } from './read-or-tell.ts'
import type { TemplateValues } from './read-template-values.ts'

const sizeSchema = z.looseObject({ name: z.string(), supportedHaMode: z.array(z.string()).nullish() })

type Size = z.infer<typeof sizeSchema>

/**
 * Whether the region has servers of this size, and with a standby in another zone where that is asked for. Regions are closed to new
 * servers while old ones run on, so an environment that is there is told alone. @throws TerminalError `no_postgres_here`
 */
export async function checkPostgres(session: Session, { postgres }: TemplateValues, isFirst: boolean): Promise<void> {
  if (postgres === undefined) return
  const { log, environment } = session
  const read = await readOrTell(session, {
    command: listPostgresSizes(environment),
    schema: z.unknown(),
    what: 'sizes of Postgres',
  })
  if (read === undefined) return
  const sizes = findSizes(read)
  if (sizes.length === 0)
    return log.say(
      `  which sizes of Postgres ${environment.location} has could not be read, or it has none for this subscription`,
    )
  const what = whatLacks(sizes, postgres)
  if (what === undefined) return
  const words = `Postgres in ${environment.location} has no ${what}`
  if (!isFirst) return log.say(`  ${words}, says Azure of new servers`)
  throw new TerminalError('no_postgres_here', `${words}.`, {
    hint: `Take another region with --location, or another size in ${environment.parameters}: az postgres flexible-server list-skus --location ${environment.location} -o table`,
  })
}

/** Versions of the Azure CLI nest them otherwise. */
function findSizes(value: unknown): Size[] {
  if (typeof value !== 'object' || value === null) return []
  const own = sizeSchema.safeParse(value)
  const inner = Object.values(value).flatMap(findSizes)
  return own.success && own.data.name.startsWith('Standard_') ? [own.data, ...inner] : inner
}

function whatLacks(
  sizes: readonly Size[],
  { skuName, highAvailability }: NonNullable<TemplateValues['postgres']>,
): string | undefined {
  const same = sizes.filter(({ name }) => name.toLowerCase() === skuName.toLowerCase())
  if (same.length === 0) return `servers of size ${skuName}`
  const modes = same.flatMap(({ supportedHaMode }) => supportedHaMode ?? [])
  const isUnknown = same.every(({ supportedHaMode }) => supportedHaMode == null)
  if (!highAvailability || isUnknown || modes.some((mode) => mode.toLowerCase() === 'zoneredundant')) return undefined
  return `standby in another zone for ${skuName}`
}
