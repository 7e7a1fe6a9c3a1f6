import type { BlobItem, ContainerClient } from '@azure/storage-blob'
import { TerminalError } from '../../domain/errors.ts'
import { azureFailureOf } from '../../config/azure-failure.ts'
import { isChanged, isHeld, isNotFound } from './blob-errors.ts'
import type { ContainerAccess } from './container-access.ts'
import { backupMissing } from './store-errors.ts'

/**
 * Where an account has no legal holds on blobs (they need versioning with immutability; Azurite has none), our own word is kept
 * in the blob's metadata. It binds `remove`, and no other program.
 */
const HOLD_METADATA = 'taskforcehold'

/** What accounts and containers without legal holds answer; the codes differ, so all refusals of the request itself count. */
const UNSUPPORTED: ReadonlySet<number> = new Set([400, 405, 409, 501])

interface Holding {
  metadata?: Record<string, string>
  leaseState?: string
  legalHold?: boolean
  immutabilityPolicyExpiresOn?: Date
}

/** By a list's item, at the time of the list. A lease is somebody's word too: a blob under one can't be removed. */
export function isItemHeld({ metadata, properties }: BlobItem, now: Date): boolean {
  const { leaseState, legalHold, immutabilityPolicyExpiresOn } = properties
  return isBound({ metadata, leaseState, legalHold, immutabilityPolicyExpiresOn }, now)
}

function isBound({ metadata, leaseState, legalHold, immutabilityPolicyExpiresOn }: Holding, now: Date): boolean {
  if (metadata?.[HOLD_METADATA] === 'true' || legalHold === true || leaseState === 'leased') return true
  return immutabilityPolicyExpiresOn !== undefined && immutabilityPolicyExpiresOn > now
}

/** `held` where the storage or our own mark says so; a mark that comes between the look and the removal is noticed. */
export async function removeBlob(access: ContainerAccess, name: string): Promise<'removed' | 'held' | 'absent'> {
  try {
    return await access.ask((container, signal, attempt) => removeOnce(container, name, signal, attempt))
  } catch (error) {
    throw access.explain(error)
  }
}

async function removeOnce(container: ContainerClient, name: string, abortSignal: AbortSignal, attempt: number) {
  const blob = container.getBlobClient(name)
  try {
    for (;;) {
      const found = await blob.getProperties({ abortSignal })
      if (isBound(found, found.date ?? new Date())) return 'held'
      try {
        await blob.delete({ deleteSnapshots: 'include', conditions: { ifMatch: found.etag }, abortSignal })
        return 'removed'
      } catch (error) {
        if (isHeld(error)) return 'held'
        if (!isChanged(error)) throw error
      }
    }
  } catch (error) {
    if (!isNotFound(error)) throw error
    // An earlier attempt has done it, and its answer was lost.
    return attempt > 0 ? 'removed' : 'absent'
  }
}

/** A legal hold of the storage where it has one, or else our own mark. */
export async function holdBlob(access: ContainerAccess, name: string, on: boolean): Promise<void> {
  try {
    const legal = await setLegalHold(access, name, on)
    if (!legal || !on) await setMark(access, name, on)
  } catch (error) {
    if (isNotFound(error)) throw backupMissing(access.place, name)
    if (isHeld(error)) throw unsupported(access.place, name)
    throw access.explain(error)
  }
}

/** False where the storage has no such thing. */
async function setLegalHold(access: ContainerAccess, name: string, on: boolean): Promise<boolean> {
  return access.ask(async (container, abortSignal) => {
    try {
      await container.getBlobClient(name).setLegalHold(on, { abortSignal })
      return true
    } catch (error) {
      if (UNSUPPORTED.has(azureFailureOf(error).statusCode ?? 0)) return false
      throw error
    }
  })
}

async function setMark(access: ContainerAccess, name: string, on: boolean): Promise<void> {
  await access.ask(async (container, abortSignal) => {
    const blob = container.getBlobClient(name)
    const { metadata = {}, etag } = await blob.getProperties({ abortSignal })
    const { [HOLD_METADATA]: mark, ...others } = metadata
    if ((mark === 'true') === on) return
    const changed = on ? { ...others, [HOLD_METADATA]: 'true' } : others
    await blob.setMetadata(changed, { conditions: { ifMatch: etag }, abortSignal })
  })
}

function unsupported(place: string, name: string): TerminalError {
  return new TerminalError(
    'hold_unsupported',
    `${name} in ${place} can't be marked: its container may not be changed.`,
    {
      hint: 'Its policy keeps it until it runs out. For longer, set a legal hold on the container.',
    },
  )
}
