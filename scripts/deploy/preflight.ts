import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { wordOf } from './commands/command.ts'
import { readChanges, readCommit } from './commands/git.ts'
import { showAccount } from './commands/subscription.ts'
import type { Source } from './package/build-package.ts'
import { readOutput } from './read-output.ts'
import type { Session } from './session.ts'
import { whoOf } from './who-of.ts'

const accountSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  user: z.looseObject({
    name: z.string(),
    type: z.string().optional(),
    /** Of a machine's identity, where `name` is but its kind. */
    assignedIdentityInfo: z.string().optional(),
  }),
})

export type Account = z.infer<typeof accountSchema>

/** Who is signed in, and to which subscription. @throws TerminalError `not_signed_in`, `other_subscription` */
export async function requireAccount({ run, options, log, environment }: Session): Promise<Account> {
  const account = await readOutput(run, showAccount(), accountSchema).catch((cause: unknown) => {
    // What else fails says itself what it is.
    if (!(cause instanceof TerminalError) || !/\baz login\b/.test(cause.message)) throw cause
    throw new TerminalError('not_signed_in', 'Nobody is signed in to Azure.', { hint: 'az login', cause })
  })
  const { id, name } = account
  const { subscription } = options
  if (subscription !== undefined && subscription !== id && subscription !== name) {
    throw new TerminalError(
      'other_subscription',
      `You are in the subscription ${name} (${id}), not in ${subscription}.`,
      {
        hint: `az account set --subscription ${wordOf(subscription)}`,
      },
    )
  }
  log.say(`  ${environment.name} in ${name} (${id}), as ${whoOf(account)}`)
  if (environment.isPrivate)
    log.say(
      '  storage, vault and migrator answer inside the virtual network alone: this machine has to be in it, or in ALLOWED_ADDRESSES',
    )
  return account
}

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
