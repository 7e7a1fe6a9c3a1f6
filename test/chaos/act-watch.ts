import { open } from 'node:fs/promises'
import { pause, recorderNow } from './clock.ts'

const LOOK_MS = 5

/**
 * Resolves as soon as this instance is in the middle of a call that acts once, by the tools' own record; after some time in any
 * case. By chance alone, one kill in thirty would come there: most of its time a mission waits for the database.
 */
export async function untilActing(ledger: string, instance: string, withinMs: number): Promise<void> {
  const file = await open(ledger, 'r')
  try {
    let position = (await file.stat()).size
    for (const until = recorderNow() + withinMs; recorderNow() < until;) {
      const { size } = await file.stat()
      const { buffer } = await file.read({ buffer: Buffer.alloc(size - position), position })
      position = size
      const begins = buffer.toString().matchAll(/^\{"begin":.*"effect":"once".*$/gm)
      if ([...begins].some(([line]) => line.includes(instance))) return
      await pause(LOOK_MS)
    }
  } finally {
    await file.close()
  }
}
