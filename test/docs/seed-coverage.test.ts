import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** Cells of each row: what the seed has, what is here, the file, the test. */
const rows = readFileSync('docs/seed-coverage.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\|(---| seed )/.test(line))
  .map(
    (line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()) as [string, string, string, string],
  )

const pathOf = (cell: string) => /^`([^`]+)`$/.exec(cell)?.[1]

/** The templates come by another change; once they are there, they are looked at too. */
const isLookedAt = (path: string) => existsSync('bicep') || !/^(test\/)?bicep\//.test(path)

it('each row has four cells, and either a file with its test or the work that it waits for', () => {
  expect(rows.length).toBeGreaterThan(70)
  for (const row of rows) {
    expect(row).toHaveLength(4)
    const [seed, here, file, test] = row
    const isDone = file !== '' && test !== ''
    expect({ seed, told: isDone || /to come: \S|left out: \S/.test(here) }).toEqual({ seed, told: true })
  }
})

it('every file and every test that it names is there', () => {
  const paths = rows.flatMap(([, , file, test]) => [file, test]).filter((cell) => cell !== '')
  expect(paths.filter((cell) => pathOf(cell) === undefined)).toEqual([])
  const missing = paths.flatMap((cell) => pathOf(cell) ?? []).filter((path) => isLookedAt(path) && !existsSync(path))
  expect([...new Set(missing)]).toEqual([])
})

/** What can be named exactly: each of these words of the seed stands in some row. */
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
depends_on configs python:3.11-slim EXPOSE HEALTHCHECK no-color tail=100 tail=500 --no-deps`
  .trim()
  .split(/\s+/)

it.each(WORDS)('%s of the seed has a row', (word) => {
  expect(rows.some((row) => row.join(' ').includes(word))).toBe(true)
})
