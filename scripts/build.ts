import { formatBuild, buildBundle } from '../src/local/build/build-bundle.ts'
import { measureLoad } from '../src/local/build/measure-load.ts'

const built = await buildBundle()
const loadMs = await measureLoad(built.entry)
process.stdout.write(formatBuild(built, loadMs))
