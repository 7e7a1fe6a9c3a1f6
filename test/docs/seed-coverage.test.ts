import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const page = readFileSync('docs/seed-coverage.md', 'utf8')

/** Cells of each row: what the seed has, what is here, the file, the test. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\|(---| seed )/.test(line))
  .map(
    (line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()) as [string, string, string, string],
  )

/** Works that are not done yet, each with its issue or the word that there is none. */
const toCome = new Map(
  [...page.matchAll(/^- \*\*([^*]+)\*\*: (.+)$/gm)].map(([, work = '', text = '']) => [work, text]),
)

interface Place {
  path: string
  /** What to look for in it. */
  words: string
}

/** Of a cell such as `path`: `words`, once or several times. @throws Error for any other text */
function placesIn(cell: string): Place[] {
  if (cell === '') return []
  return cell.split('<br>').map((text) => {
    const [, path, words] = /^`([^`]+)`: `([^`]+)`$/.exec(text) ?? []
    if (path === undefined || words === undefined) throw new Error(`no \`path\`: \`words\`: ${text}`)
    return { path, words }
  })
}

const COMMENT = /^\s*(\/\/|\/?\*).*$/gm
const texts = new Map<string, string>()

/** Without lines of comment, which do nothing. Empty for a file that is not there. */
function textOf(path: string): string {
  const read = () => (globSync(path).length === 0 ? '' : readFileSync(path, 'utf8'))
  const text = texts.get(path) ?? (/\.(ts|bicep)$/.test(path) ? read().replaceAll(COMMENT, '') : read())
  texts.set(path, text)
  return text
}

const tests = globSync('test/**/*.test.ts').filter((path) => !path.endsWith('seed-coverage.test.ts'))
/** Words that more tests have than this would be found in a wrong one too. */
const MOST_TESTS = 4

it('each row has four cells, and either files with their tests or the work that it waits for', () => {
  expect(rows.length).toBeGreaterThan(100)
  for (const row of rows) {
    expect(row).toHaveLength(4)
    const [seed, here, file, test] = row
    const isDone = file !== ''
    expect({ seed, isTested: test !== '' }).toEqual({ seed, isTested: isDone })
    expect({ seed, told: isDone || /to come: \S|left out: \S/.test(here) }).toEqual({ seed, told: true })
  }
})

it('what is to come is a work that is listed, with its issue, or with the word that none is filed', () => {
  const awaited = rows.flatMap(([, here]) => [...here.matchAll(/to come: ([\w/]+)/g)].map(([, work = '']) => work))
  expect([...new Set(awaited)].sort()).toEqual([...toCome.keys()].sort())
  for (const text of toCome.values()) expect(text).toMatch(/ (Issue \d+|No issue is filed yet)\.$/)
})

const done = rows.filter(([, , file]) => file !== '')

it.each(done)('%s: what covers it is in the file and in the test', (_, __, file, test) => {
  const places = [...placesIn(file), ...placesIn(test)]
  expect(places.filter(({ path, words }) => !textOf(path).includes(words))).toEqual([])
  for (const { path } of placesIn(file)) expect(path).not.toMatch(/^test\//)
  for (const { path } of placesIn(test)) expect(path).toMatch(/^test\/.+\.(ts|json)$/)
})

it('the words to look for in a test are in few others', () => {
  const common = done
    .flatMap(([, , , test]) => placesIn(test))
    .filter(({ words }) => tests.filter((path) => textOf(path).includes(words)).length > MOST_TESTS)
  expect(common).toEqual([])
})

/** What can be named exactly: each of these words stands in some row, as what the seed has. */
const WORDS = `
DATABASE_URL DB_PASSWORD OPENAI_API_KEY AZURE_OPENAI_API_KEY AZURE_OPENAI_ENDPOINT AZURE_SEARCH_ENDPOINT AZURE_SEARCH_API_KEY
TASKFORCE_API_KEY PROFILE LOG_LEVEL WORK_DIR POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD POSTGRES_INITDB_ARGS init.sql
postgres_data taskforce_data taskforce-network taskforce-postgres taskforce-api nginx:alpine 5432 8000 80 443 pg_isready
Strict-Transport-Security X-Content-Type-Options X-Frame-Options proxy_buffering proxy_read_timeout worker_connections
ssl_ciphers max-size max-file upgrade downgrade current history autogenerate HPA Ingress taskforce-secrets 512Mi 2Gi
agent.execution.started session_id VACUUM BACKUP_DIR BACKUP_FILE X-Real-IP X-Forwarded-For X-Forwarded-Proto proxy_cache
ssl_certificate ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout access_log server_name minReplicas maxReplicas
database-url openai-api-key cert-manager ClusterIP setup-python pytest ruff black registry.example.com staging-server
script_location NullPool Compress-Archive Expand-Archive Get-Content Start-Sleep Copy-Item docker-compose restart
depends_on configs python:3.11-slim EXPOSE HEALTHCHECK no-color tail=100 tail=500 --no-deps uvicorn New-Item Write-Host Get-ChildItem
ubuntu-latest letsencrypt-prod taskforce-ingress averageUtilization taskforce-nginx taskforce-tls --oneline unless-stopped json-file`
  .trim()
  .split(/\s+/)

it.each(WORDS)('%s of the seed has a row', (word) => {
  expect(rows.some(([seed]) => seed.includes(word))).toBe(true)
})
