export const ENVIRONMENTS = ['dev', 'staging', 'production'] as const

export type EnvironmentName = (typeof ENVIRONMENTS)[number]

export interface Environment {
  name: EnvironmentName
  /** What deployments at the subscription are named after; the outputs of the newest that succeeded say where everything is. */
  deployment: string
  /** Of the deployment that this run makes: one that fails leaves the outputs of those before as they are. */
  newDeployment: string
  location: string
  template: string
  parameters: string
  /** Storage, vault and the migrator answer inside the virtual network alone. */
  isPrivate: boolean
}

export interface Place {
  location: string
  /** As 20261129061500. */
  time: string
  deployment?: string | undefined
}

/** What a deployment to an environment works with. */
export function environmentOf(
  name: EnvironmentName,
  { location, time, deployment = `taskforce-${name}` }: Place,
): Environment {
  return {
    name,
    deployment,
    newDeployment: `${deployment}-${time}`,
    location,
    template: 'bicep/main.bicep',
    parameters: `bicep/${name}.bicepparam`,
    isPrivate: name !== 'dev',
  }
}
