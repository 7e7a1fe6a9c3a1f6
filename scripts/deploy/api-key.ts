import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { listSecrets, readApiKey, readApiKeyStatus, storeApiKey } from './commands/apps.ts'
import { makeKeyFolder } from './key-folder.ts'
import { readOutput, readSecret } from './read-output.ts'
import { readSecretsAnew } from './read-secrets-anew.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** The API's key, made where the vault has none: no template makes a secret. Never in an argument, a log or an answer. */
export async function apiKeyOf(session: Session, target: Target): Promise<string> {
  const { run, log } = session
  const names = await readOutput(run, listSecrets(target), z.array(z.string()))
  if (!names.includes(target.apiKeySecret)) {
    await makeKey(session, target)
    log.say(`  made ${target.apiKeySecret} in ${target.vault}; read it with az keyvault secret show`)
  }
  await makeKnown(session, target)
  return fetchApiKey(session, target)
}

/** An app that looked for the secret before it was there keeps the failure for hours, also where the run that made it died. */
async function makeKnown(session: Session, target: Target): Promise<void> {
  if ((await session.run(readApiKeyStatus(target))).trim() !== 'Resolved') await readSecretsAnew(session, target)
}

/** The key that is there. */
export async function fetchApiKey({ run, log }: Session, target: Target): Promise<string> {
  return log.keep(await readSecret(run, readApiKey(target)))
}

async function makeKey({ run, log }: Session, target: Target): Promise<void> {
  const folder = await makeKeyFolder()
  try {
    const file = join(folder, 'key')
    await writeFile(file, log.keep(randomBytes(32).toString('base64url')), { mode: 0o600 })
    await run(storeApiKey(target, file))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
