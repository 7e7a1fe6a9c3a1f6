import { TerminalError } from '../../src/domain/errors.ts'
import { SHAPES, type Shape } from '../deploy/environments.ts'

const LIST = new Intl.ListFormat('en-GB', { type: 'disjunction' })

/**
 * The shape that bicep/main.bicepparam gives an environment of azd: that of its name, where it is called like one, else what
 * TASKFORCE_ENVIRONMENT says. Throws TerminalError `shape_unknown` where the templates would fail too, but later.
 */
export function shapeOf(environment: string, given: string): Shape {
  const named = SHAPES.find((shape) => shape === environment.toLowerCase())
  const said = SHAPES.find((shape) => shape === given.toLowerCase())
  const command = (word: string) => `azd env set TASKFORCE_ENVIRONMENT ${word} --environment ${environment}`
  if (named !== undefined && given !== '' && said !== named)
    throw new TerminalError(
      'shape_unknown',
      `${environment} is called like a shape, and TASKFORCE_ENVIRONMENT is ${given}.`,
      { hint: command(named) },
    )
  const shape = named ?? said
  if (shape !== undefined) return shape
  throw new TerminalError(
    'shape_unknown',
    `Nothing says which shape ${environment} has: TASKFORCE_ENVIRONMENT is ${given || 'not set'}.`,
    // Pasted as it is, azd would keep SHAPE, and this would refuse it again.
    { hint: `${command('SHAPE')}\nSHAPE is ${LIST.format(SHAPES)}.` },
  )
}
