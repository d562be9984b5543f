/** References → the narrowest session policy that reads them, in as many policies as STS's limits ask for. Pure. */
import { arnOf, type Location, type Reference } from '../keys/reference.ts';
import { dnsSuffix } from './partition.ts';

/** Characters of an inline session policy, white space included (AssumeRoleWithWebIdentity, `Policy`). */
const longestPolicy = 2048;

/** Where a reference without an ARN is: the role's account and the chosen region, or another that stands in for it. */
export interface Home extends Location {
  readonly otherRegions?: readonly string[];
}

export interface NarrowSession {
  readonly references: readonly Reference[];
  /** JSON. */
  readonly policy: string;
}

/**
 * Reading exactly these parameters, and decrypting only through the service that keeps them: which KMS key that is need
 * not be known.
 */
export function narrowSessions(references: readonly Reference[], home: Home): NarrowSession[] {
  const policy = render(references, home);
  if (policy.length <= longestPolicy || references.length < 2) return [{ references, policy }];
  return halve(references).flatMap((half) => narrowSessions(half, home));
}

/** STS packs policies in a way that it does not publish: where it refuses one that is short enough, two halves go. */
export function halve<T>(items: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function render(references: readonly Reference[], home: Home): string {
  const homes = [home, ...(home.otherRegions ?? []).map((region) => ({ ...home, region }))];
  const places = references.flatMap(({ location }) => location ?? homes);
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      ...readStatements(references, homes),
      {
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': [...new Set(places.map(parameterStoreHost))] } },
      },
    ],
  });
}

/** With several regions a name is written once, with its regions as a condition: ARNs are what STS's limits count most. */
function readStatements(references: readonly Reference[], homes: readonly Location[]): object[] {
  const [home, ...others] = homes;
  if (!home || others.length === 0) return home ? [readStatement(references, home)] : [];
  const exact = references.filter(({ location }) => location);
  const named = references.filter(({ location }) => !location);
  const condition = { StringEquals: { 'aws:RequestedRegion': homes.map(({ region }) => region) } };
  return [
    ...(exact.length > 0 ? [readStatement(exact, home)] : []),
    ...(named.length > 0
      ? [{ ...readStatement(named, { ...home, region: '*' }), Condition: condition }]
      : []),
  ];
}

function readStatement(references: readonly Reference[], home: Location): object {
  return {
    Effect: 'Allow',
    Action: ['ssm:GetParameter', 'ssm:GetParameters'],
    Resource: [...new Set(references.map((reference) => arnOf(reference, home)))],
  };
}

/** @source KMS Developer Guide, "kms:ViaService" */
function parameterStoreHost({ region }: Location): string {
  return `ssm.${region}.${dnsSuffix(region)}`;
}
