import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { fill } from './docs/fill.ts'
import { profileKeys } from './docs/profile-keys.ts'
import { templateParameters } from './docs/template-parameters.ts'
import { toolList } from './docs/tool-list.ts'
import { transcripts } from './docs/transcripts.ts'

await new Command('npm run docs --')
  .description(
    'Writes the parts of docs/ that come from the product itself: profile keys, tools, parameters of the templates, transcripts.',
  )
  .action(async () => {
    await update('docs/profiles.md', 'keys', profileKeys())
    await update('docs/profiles.md', 'tools', toolList())
    await update('docs/azure-parameters.md', 'parameters', templateParameters())
    const log = (line: string) => void process.stderr.write(`${line}\n`)
    await update('docs/transcripts.md', 'transcripts', await transcripts(log))
  })
  .parseAsync()

async function update(file: string, name: string, text: string): Promise<void> {
  const page = await readFile(file, 'utf8')
  const filled = fill(page, name, text)
  if (filled !== page) await writeFile(file, filled)
  process.stdout.write(`${file}: ${name} ${filled === page ? 'unchanged' : 'written'}\n`)
}
