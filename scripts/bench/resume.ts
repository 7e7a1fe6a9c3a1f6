import pg from 'pg'
import { createBenchEngine } from './bench-engine.ts'

/** A process of its own for `growth`: prints how many milliseconds it took to be where the killed one was. */
const url = process.env['BENCH_DATABASE_URL'] ?? ''
const begun = process.argv[2] === 'engine' ? await resume() : await read()
process.stdout.write(String(begun), () => process.exit(0))

async function resume(): Promise<number> {
  const next = Promise.withResolvers<number>()
  const bench = createBenchEngine(url, {
    onStep: () => {
      next.resolve(performance.now())
      return new Promise<void>(() => undefined)
    },
  })
  // As the other engines: a cold process, whose connection has asked for something of the kind before.
  await bench.engine.runOne()
  await bench.databases.engine.query('delete from taskforce.instances')
  const asked = performance.now()
  void bench.engine.runOne()
  return (await next.promise) - asked
}

async function read(): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const { rows } = await pool.query<{ id: string }>(
    'select mission_id as id from public.bare group by mission_id order by count(*) desc limit 1',
  )
  const readAll = (id: string | undefined) =>
    pool.query({
      name: 'all',
      text: 'select seq, type, data from public.bare where mission_id = $1 order by seq',
      values: [id],
    })
  await readAll('00000000-0000-7000-8000-000000000000')
  const asked = performance.now()
  await readAll(rows[0]?.id)
  return performance.now() - asked
}
