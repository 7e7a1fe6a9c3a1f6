import type { EffectClaims } from '../../src/engine/effect-claims.ts'
import { connectEffects } from '../../src/engine/blob-effects.ts'
import { createBlobClaims } from '../../src/engine/effect-claims.ts'
import type { Opened } from '../backup/open.ts'

/** The claims of calls that act once, of the deployment whose storage is configured; undefined where none is. */
export function openClaims({ storage, storageConnectionString }: Opened): EffectClaims | undefined {
  if (storage === undefined) return undefined
  return createBlobClaims(() => connectEffects(storage, storageConnectionString))
}
