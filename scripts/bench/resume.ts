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
  await bench.databases.engine.query('select 1')
  const asked = performance.now()
  void bench.engine.runOne()
  return (await next.promise) - asked
}

async function read(): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  await pool.query('select 1')
  const asked = performance.now()
  await pool.query(
    `select seq, type, data from public.bare
     where mission_id = (select mission_id from public.bare group by mission_id order by count(*) desc limit 1) order by seq`,
  )
  return performance.now() - asked
}
