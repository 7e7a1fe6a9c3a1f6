import { setTimeout as pause } from 'node:timers/promises'
import type { ContainerClient } from '@azure/storage-blob'
import type { TerminalError } from '../../domain/errors.ts'
import { limitTime, untilAborted } from '../../models/deadlines.ts'
import { blobFailure, isNoContainer, mayPass } from './blob-errors.ts'

/** How long a request is tried; at the worst `tries * attemptMs` and the pauses between. */
export interface Patience {
  /** One attempt: 4 MiB in a minute is a line of 70 KB/s for each of four blocks. */
  attemptMs: number
  tries: number
  /** Doubles each time: 0.3 to 4.8 s, 9.3 s together, which a restart of the storage fits into. */
  firstPauseMs: number
}

export const DEFAULT_PATIENCE: Patience = { attemptMs: 60_000, tries: 6, firstPauseMs: 300 }

export type Request<T> = (container: ContainerClient, signal: AbortSignal, attempt: number) => Promise<T>

/** A container, and the patience with it. */
export interface ContainerAccess {
  place: string
  /** Asks again while the failure may pass; rejects with the last one as it came, for `explain` or to be understood. */
  ask<T>(request: Request<T>, stop?: AbortSignal): Promise<T>
  /** As `ask`, and makes the container where it is missing. */
  askToWrite<T>(request: Request<T>, stop?: AbortSignal): Promise<T>
  explain(error: unknown): TerminalError
}

const NEVER = new AbortController().signal

export function accessContainer(
  connect: () => Promise<ContainerClient>,
  place: string,
  setting: string,
  patience: Patience,
): ContainerAccess {
  let container: Promise<ContainerClient> | undefined
  function connected(): Promise<ContainerClient> {
    container ??= connect()
    container.catch(() => (container = undefined))
    return container
  }

  async function ask<T>(request: Request<T>, stop = NEVER): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      const limited = limitTime(stop, patience.attemptMs)
      try {
        const run = async () => request(await connected(), limited.signal, attempt)
        return await untilAborted(run(), limited.signal)
      } catch (error) {
        if (stop.aborted || attempt + 1 >= patience.tries || !mayPass(error)) throw error
      } finally {
        limited.close()
      }
      await pause(patience.firstPauseMs * 2 ** attempt, undefined, { signal: stop })
    }
  }

  return {
    place,
    ask,
    askToWrite: (request, stop) =>
      ask(async (client, signal, attempt) => {
        try {
          return await request(client, signal, attempt)
        } catch (error) {
          if (!isNoContainer(error)) throw error
          await client.createIfNotExists({ abortSignal: signal })
          return request(client, signal, attempt)
        }
      }, stop),
    explain: (error) => blobFailure(place, setting, error),
  }
}
