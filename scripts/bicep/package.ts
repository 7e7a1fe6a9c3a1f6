/** What the pinned snapshots in test/bicep were made with. */
export const BICEP_VERSION = '0.49.2'

const PACKAGES: Record<string, string> = {
  'linux-x64': 'Azure.Bicep.CommandLine.linux-x64',
  'darwin-x64': 'Azure.Bicep.CommandLine.osx-x64',
  'darwin-arm64': 'Azure.Bicep.CommandLine.osx-arm64',
  'win32-x64': 'Azure.Bicep.CommandLine.win-x64',
}

/** NuGet's package with the compiler for this platform; undefined where it has none. */
export function packageFor(platform: NodeJS.Platform, arch: string): string | undefined {
  return PACKAGES[`${platform}-${arch}`]
}

/** A project that downloads the package and builds nothing. */
export function projectFor(packageName: string): string {
  return `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
    <AutoReferenceDefaultFrameworks>false</AutoReferenceDefaultFrameworks>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="${packageName}" Version="[${BICEP_VERSION}]" />
  </ItemGroup>
</Project>
`
}
