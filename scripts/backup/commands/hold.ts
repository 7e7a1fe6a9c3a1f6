import { holdBackup } from '../../../src/backup/hold-backup.ts'
import type { Context, SharedOptions } from '../context.ts'
import { findBackup } from '../find.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

/**
 * Keeps a backup and its offsite copy from being removed by anybody, or lets them go again. Exit code 1 where one of them
 * could not be marked.
 */
export function hold(on: boolean) {
  return async (context: Context, options: SharedOptions, word: string): Promise<number> => {
    const { main, offsite } = open({ ...options, database: false }, context)
    // LATEST of the copies may be another one.
    const name = /^latest$/i.test(word) ? (await findBackup(main, word)).name : word
    const stores = await holdBackup(
      offsite === undefined ? [main] : [main, offsite],
      (store) => findBackup(store, name),
      on,
    )
    const failed = stores.some((store) => 'error' in store)
    if (options.json) context.terminal.json({ name, held: on, ok: !failed, stores })
    else {
      context.terminal.print([
        on ? `${name} is kept until it is released` : `${name} goes in its time`,
        ...stores.map((store) =>
          'error' in store ? `  NOT in ${store.place}: ${store.error}` : `  in ${store.place}`,
        ),
      ])
    }
    return failed ? EXIT.failed : EXIT.done
  }
}
