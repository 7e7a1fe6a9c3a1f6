import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // The tests share one Postgres and start servers of their own; more workers only make them wait for each other.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 30_000,
    // What is waited for comes within milliseconds; 1 s, the default, is too little where others use both cores.
    expect: { poll: { timeout: 15_000 } },
  },
})
