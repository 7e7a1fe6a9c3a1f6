import { expect } from 'vitest'
import { main as deploy } from '../../../scripts/deploy/main.ts'
import type { Cloud } from './cloud.ts'

export const commitOf = (letter: string) => letter.repeat(40)

/** Deploys one commit after the other to staging, each without a fault. */
export async function deployCommits(cloud: Cloud, letters: readonly string[]): Promise<void> {
  for (const letter of letters) {
    cloud.source.commit = commitOf(letter)
    expect(await cloud.run(deploy, 'staging', '--yes')).toMatchObject({ code: 0, stderr: '' })
  }
}
