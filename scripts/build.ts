import { formatBuild, buildBundle } from '../src/local/build/build-bundle.ts'
import { measureLoad } from '../src/local/build/measure-load.ts'
import { stagePackage } from '../src/local/build/stage-package.ts'

const built = await buildBundle()
stagePackage(built)
const loadMs = await measureLoad(built.entry)
process.stdout.write(formatBuild(built, loadMs))
