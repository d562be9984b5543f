/** Reads references of any kind: groups them by store and Region, reads each group once, returns the secrets in order. */
import type { ParameterReference, Reference, SecretReference } from '../keys/reference.ts';
import { secretsOf } from './outcomes.ts';
import { parameterStore } from './parameter-store.ts';
import type { Outcome, Secret, SourceOptions } from './source.ts';

/**
 * @param options `region` is for references that are not ARNs
 * @throws the errors of all references in one Failure
 */
export async function readReferences(
  references: readonly Reference[],
  options: SourceOptions,
): Promise<Secret[]> {
  const regionOf = ({ location }: Reference): string => location?.region ?? options.region;
  return await secretsOf(references, async (wanted) => {
    const reads = [...new Set(wanted.map(regionOf))].map((region) => {
      const there = wanted.filter((reference) => regionOf(reference) === region);
      return readRegion(there, { ...options, region });
    });
    return (await Promise.all(reads)).flat();
  });
}

/** The names of the references' stores. */
export function storesOf(references: readonly Reference[]): string {
  const kinds = new Set(references.map(({ kind }) => kind));
  const names = { parameter: 'Parameter Store', secret: 'Secrets Manager' };
  return [...kinds].map((kind) => names[kind]).join(' and ');
}

async function readRegion(references: readonly Reference[], options: SourceOptions): Promise<Outcome[]> {
  const parameters = references.filter((one): one is ParameterReference => one.kind === 'parameter');
  const secrets = references.filter((one): one is SecretReference => one.kind === 'secret');
  const reads = await Promise.all([
    parameters.length > 0 ? parameterStore(options).read(parameters) : [],
    secrets.length > 0 ? readSecrets(secrets, options) : [],
  ]);
  return reads.flat();
}

/** The client of Secrets Manager is only loaded for references to secrets. */
async function readSecrets(
  references: readonly SecretReference[],
  options: SourceOptions,
): Promise<Outcome[]> {
  const { secretsManager } = await import('./secrets-manager.ts');
  return await secretsManager(options).read(references);
}
