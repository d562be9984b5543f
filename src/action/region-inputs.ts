/** The Regions of the keys, and those of the EC2 hosts: from the input, ARNs and the environment. Pure. */
import type { AppLine } from '../keys/app-line.ts';
import type { KeyLine } from '../keys/key-line.ts';
import { partitionOf } from '../keys/partition.ts';
import { isRegion, parseRegion } from '../keys/region-name.ts';
import { environmentRegion } from '../host/job-role.ts';
import { input, invalid, list, type Env } from './input.ts';

interface Lines {
  readonly keys: readonly KeyLine[];
  readonly apps: readonly AppLine[];
}

/**
 * The input takes precedence. Without it, and if everything is an ARN, the environment may name the Region of another
 * service (`auto`), or of another partition: it is not even parsed.
 *
 * @returns in order of preference; empty: the machine's
 * @throws INPUT_INVALID
 */
export function parseRegions(env: Env, lines: Lines): readonly string[] {
  if (input(env, 'aws-region') === '') return regionOfArns(lines) ?? parseRegionVariable(env);
  const regions = list(env, 'aws-region');
  if (regions.length === 0) parseRegion(input(env, 'aws-region'), 'the input aws-region');
  for (const region of regions) parseRegion(region, 'the input aws-region');
  const partitions = new Set(regions.map(partitionOf));
  if (partitions.size < 2) return regions;
  throw invalid(
    'aws-region',
    `has regions of different partitions: ${regions.join(', ')}`,
    'write regions of one partition: credentials of one are unknown in the other',
  );
}

/**
 * EC2 hosts have no ARN in `keys`, so their Region is that of the environment also where the keys have another one.
 *
 * @param regions of parseRegions
 */
export function hostRegions(env: Env, regions: readonly string[]): readonly string[] {
  if (input(env, 'aws-region') !== '') return regions;
  const named = environmentRegion(env);
  return isRegion(named) ? [named] : [];
}

/** The first one, as in regionFor. undefined: something has no ARN. */
function regionOfArns({ keys, apps }: Lines): readonly string[] | undefined {
  const all = [
    ...keys.flatMap(({ reference, passphrase, certificate, signing }) => [
      // A key that is made in memory is in no Region.
      reference.kind === 'new' ? undefined : reference,
      ...[passphrase, certificate, signing?.certificate?.authority],
    ]),
    ...apps.map(({ reference }) => reference),
  ].filter((reference) => reference !== undefined);
  const [first] = all;
  return first?.location && all.every(({ location }) => location) ? [first.location.region] : undefined;
}

function parseRegionVariable(env: Env): readonly string[] {
  const [name, region] = Object.entries(regionVariables(env)).find(([, value]) => value) ?? [];
  return name === undefined || region === undefined ? [] : [parseRegion(region, name)];
}

function regionVariables(env: Env): Record<string, string | undefined> {
  return { AWS_REGION: env['AWS_REGION']?.trim(), AWS_DEFAULT_REGION: env['AWS_DEFAULT_REGION']?.trim() };
}
