import { startHost } from '../../../src/local/host/start-host.ts'

const [bundle = '', hostJson = ''] = process.argv.slice(2)
const host = await startHost({ bundle, hostJson, env: process.env, port: 0, log: () => {} })
console.log(JSON.stringify({ url: host.url, workerPid: await host.workerPid() }))
