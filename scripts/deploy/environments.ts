export const SHAPES = ['dev', 'staging', 'production'] as const

export type Shape = (typeof SHAPES)[number]

export interface Environment {
  /** Which parameters it is made by. */
  shape: Shape
  /** Its own: two of one shape have different ones. */
  name: string
  resourceGroup: string
  /** Of the deployment that this run makes at the subscription. */
  deployment: string
  location: string
  template: string
  parameters: string
  /** Storage, vault and the migrator answer inside the virtual network alone. */
  isPrivate: boolean
}

export interface Place {
  name?: string | undefined
  location: string
  /** As 20261129061500. */
  time: string
}

/** What a deployment to an environment works with. */
export function environmentOf(shape: Shape, { name = shape, location, time }: Place): Environment {
  return {
    shape,
    name,
    resourceGroup: `rg-taskforce-${name}`,
    deployment: `taskforce-${name}-${time}`,
    location,
    template: 'bicep/main.bicep',
    parameters: `bicep/${shape}.bicepparam`,
    isPrivate: shape !== 'dev',
  }
}
