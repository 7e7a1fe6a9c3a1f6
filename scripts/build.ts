import { resolve } from 'node:path'
import { formatBuild } from '../src/local/build/build-bundle.ts'
import { layOutPackage } from '../src/local/build/lay-out-package.ts'
import { measureLoad } from '../src/local/build/measure-load.ts'

const built = await layOutPackage()
const loadMs = await measureLoad(resolve(built.entry))
process.stdout.write(formatBuild(built, loadMs))
