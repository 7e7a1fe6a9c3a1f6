import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { readChanges, readCommit } from './commands/git.ts'
import { listFlexRegions, listModelUsage, listProviders, showAccount } from './commands/subscription.ts'
import type { Source } from './package/build-package.ts'
import { readOutput } from './read-output.ts'
import type { Session } from './session.ts'
import { plainRegion } from './settle-region.ts'

/** Of `bicep/`, plus what Flex Consumption needs for its network. */
export const PROVIDERS =
  'App CognitiveServices DBforPostgreSQL Insights KeyVault ManagedIdentity Network OperationalInsights Storage Web'
    .split(' ')
    .map((name) => `Microsoft.${name}`)

const accountSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  user: z.looseObject({ name: z.string(), type: z.string().optional() }),
})

export type Account = z.infer<typeof accountSchema>

/** Who is signed in, and to which subscription. @throws TerminalError `not_signed_in`, `other_subscription` */
export async function requireAccount({ run, options, log, environment }: Session): Promise<Account> {
  const account = await readOutput(run, showAccount(), accountSchema).catch((cause: unknown) => {
    if (!(cause instanceof TerminalError) || cause.code !== 'command_failed') throw cause
    throw new TerminalError('not_signed_in', 'Nobody is signed in to Azure.', { hint: 'az login', cause })
  })
  const { id, name, user } = account
  const { subscription } = options
  if (subscription !== undefined && subscription !== id && subscription !== name) {
    throw new TerminalError(
      'other_subscription',
      `You are in the subscription ${name} (${id}), not in ${subscription}.`,
      {
        hint: `az account set --subscription ${subscription}`,
      },
    )
  }
  log.say(`  ${environment.name} in ${name} (${id}), as ${user.name}`)
  if (environment.isPrivate)
    log.say(
      '  storage, vault and migrator answer inside the virtual network alone: this machine has to be in it, or in ALLOWED_ADDRESSES',
    )
  return account
}

/** What Azure would refuse half an hour later. @throws TerminalError `providers_missing`, `no_flex_here` */
export async function checkSubscription(session: Session): Promise<void> {
  const { run, environment, log } = session
  const registered = new Set(
    (await readOutput(run, listProviders(), z.array(z.string()))).map((name) => name.toLowerCase()),
  )
  const missing = PROVIDERS.filter((name) => !registered.has(name.toLowerCase()))
  if (missing.length > 0) {
    throw new TerminalError('providers_missing', `The subscription may not use ${missing.join(', ')} yet.`, {
      hint: missing.map((name) => `az provider register --wait --namespace ${name}`).join('; '),
    })
  }
  const regions = await readOutput(run, listFlexRegions(), z.array(z.looseObject({ name: z.string() })))
  const there = regions.map(({ name }) => plainRegion(name))
  if (!there.includes(plainRegion(environment.location))) {
    throw new TerminalError('no_flex_here', `There is no Flex Consumption in ${environment.location}.`, {
      hint: `Take another region with --location: ${there.join(', ')}`,
    })
  }
  for (const { name, currentValue, limit } of await readOutput(
    run,
    listModelUsage(environment),
    z.array(usageSchema),
  )) {
    if (limit > 0 && currentValue >= limit) log.say(`  quota used up: ${name.value} (${currentValue} of ${limit})`)
  }
}

const usageSchema = z.looseObject({
  name: z.looseObject({ value: z.string() }),
  currentValue: z.number(),
  limit: z.number(),
})

/** The commit, and whether the folder is as it says. @throws TerminalError `uncommitted` outside dev */
export async function readSource({ run, environment }: Session): Promise<Source> {
  const commit = (await run(readCommit())).trim()
  const hasChanges = (await run(readChanges())).trim() !== ''
  if (hasChanges && environment.shape !== 'dev') {
    throw new TerminalError(
      'uncommitted',
      `This folder has changes that no commit has, and ${environment.name} is to be told from.`,
      {
        hint: 'Commit or stash them (git status), then run the same command.',
      },
    )
  }
  return { commit, hasChanges }
}
