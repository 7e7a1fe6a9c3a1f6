import { manifestFile } from '../../../src/backup/name.ts'
import type { Context, SharedOptions } from '../context.ts'
import { findBackup } from '../find.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

/** Keeps a backup from being removed by anybody, or lets it go again. */
export function holdBackup(on: boolean) {
  return async (context: Context, options: SharedOptions, name: string): Promise<number> => {
    const { main } = open({ ...options, database: false }, context)
    const { name: found, file } = await findBackup(main, name)
    await main.hold(file, on)
    await main.hold(manifestFile(found), on)
    if (options.json) context.terminal.json({ name: found, held: on })
    else context.terminal.print([on ? `${found} is kept until it is released.` : `${found} goes in its time.`])
    return EXIT.done
  }
}
