import { askUser } from './ask-user.ts'
import type { ControlTool } from './control-tool.ts'
import { makePlan } from './make-plan.ts'
import { wait } from './wait.ts'

export const controlTools: readonly ControlTool[] = [askUser, makePlan, wait]

export function controlTool(name: string): ControlTool | undefined {
  return controlTools.find((tool) => tool.name === name)
}
