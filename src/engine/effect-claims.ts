import type { BlobItem, ContainerClient } from '@azure/storage-blob'
import { z } from 'zod'
import { azureFailureOf } from '../config/azure-failure.ts'
import { TerminalError } from '../domain/errors.ts'
import { untilAborted } from '../models/deadlines.ts'
import { readClaim } from './blob-effects.ts'

/** A call of a tool that acts once, as the name of its claim tells. */
export interface BegunCall {
  missionId: string
  /** Of the call within the mission. */
  key: string
  /** When the claim was made, by the storage's clock, where it tells. */
  madeAt: Date | undefined
}

/** Who made a call, as far as its claim can be read and is believed. */
export interface BegunBy {
  tool: string
  instance: string
  at: string
}

/** All calls that have begun, whatever the database says: what it forgets in a restore is known here. */
export interface EffectClaims {
  /** Page by page, in the order of names: claims of one mission come one after the other. */
  pages(): AsyncIterable<BegunCall[]>
  /** Undefined where the claim can't be read: that the call has begun is known all the same. */
  by(call: Pick<BegunCall, 'missionId' | 'key'>): Promise<BegunBy | undefined>
}

/** A page is one request of the storage, and one look into the journals. */
const PAGE = 1_000

/** For a page, or for one claim; the SDK's own retries included. */
const WITHIN_MS = 60_000

const nameSchema = z.tuple([z.uuid(), z.string().regex(/^\d+\.\d+$/)])

/** The claims of `createBlobEffects`. Throws TerminalError `effects_unreadable`, without secrets of the address. */
export function createBlobClaims(connect: () => Promise<ContainerClient>): EffectClaims {
  return {
    async *pages() {
      const container = await connect().catch((error: unknown) => {
        throw unreadable(error)
      })
      const pages = container.listBlobsFlat().byPage({ maxPageSize: PAGE })
      for (let page = await nextPage(pages); page !== undefined; page = await nextPage(pages)) {
        yield page.flatMap(({ name, properties }) => begunCall(name, properties.createdOn))
      }
    },
    async by({ missionId, key }) {
      const container = await connect()
      return readClaim(container.getBlockBlobClient(`${missionId}/${key}`), AbortSignal.timeout(WITHIN_MS))
    },
  }
}

async function nextPage(pages: AsyncIterator<{ segment: { blobItems: BlobItem[] } }>): Promise<BlobItem[] | undefined> {
  try {
    const { value, done } = await untilAborted(pages.next(), AbortSignal.timeout(WITHIN_MS))
    return done === true ? undefined : value.segment.blobItems
  } catch (error) {
    // No container: no call has ever begun.
    if (azureFailureOf(error).code === 'ContainerNotFound') return undefined
    throw unreadable(error)
  }
}

function begunCall(name: string, madeAt: Date | undefined): BegunCall[] {
  const { data } = nameSchema.safeParse(name.split('/'))
  return data === undefined ? [] : [{ missionId: data[0], key: data[1], madeAt }]
}

function unreadable(cause: unknown): unknown {
  if (cause instanceof TerminalError) return cause
  const { code, statusCode } = azureFailureOf(cause)
  return new TerminalError(
    'effects_unreadable',
    `The claims of calls that act once can't be read (${code ?? statusCode ?? 'no answer'}), so nobody can tell which calls the restored journals don't know.`,
    { hint: 'Look at JOBS_STORAGE, and at the rights of the identity: it has to list and read blobs.', cause },
  )
}
