// `npm start` until its ready line, the request that it prints, the mission's end, and Ctrl-C with exit code 0.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const child = spawn('npm', ['start', '--silent', '--', '--json', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
let text = ''
const ready = await new Promise((resolve, reject) => {
  child.on('exit', (code) => reject(new Error(`npm start ended with ${code}: ${text}`)))
  child.stdout.on('data', (chunk) => {
    text += chunk
    const line = text.split('\n').find((one) => one.includes('"event":"ready"') && one.endsWith('}'))
    if (line) resolve(JSON.parse(line))
  })
})
const headers = { 'content-type': 'application/json' }
const body = JSON.stringify({ goal: 'Say hello' })
const created = await fetch(`${ready.url}/api/v1/missions`, { method: 'POST', headers, body })
if (created.status !== 202) throw new Error(`POST answered ${created.status}`)
const { id } = await created.json()
const events = await fetch(`${ready.url}/api/v1/missions/${id}/events`, { headers: { accept: 'text/event-stream' } })
const stream = await events.text()
if (!stream.includes('event: mission.completed')) throw new Error(`The mission did not complete: ${stream}`)
const ended = once(child, 'exit')
process.kill(ready.pid, 'SIGINT')
const [code] = await ended
if (code !== 0) throw new Error(`Ctrl-C ended with ${code}`)
console.log('npm start: ready, a mission to its end, stopped with 0')
