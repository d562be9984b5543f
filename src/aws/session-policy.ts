/** References → the narrowest session policy that reads them, in as many policies as STS's limits ask for. Pure. */
import { arnOf, type Location, type Reference } from '../keys/reference.ts';
import { dnsSuffix } from './partition.ts';

/** Characters of an inline session policy, white space included (AssumeRoleWithWebIdentity, `Policy`). */
const longestPolicy = 2048;

export interface NarrowSession {
  readonly references: readonly Reference[];
  /** JSON. */
  readonly policy: string;
}

/**
 * Reading exactly these parameters, and decrypting only through the service that keeps them: which KMS key that is need
 * not be known.
 *
 * @param home where a reference without an ARN is: the role's account and the chosen region
 */
export function narrowSessions(references: readonly Reference[], home: Location): NarrowSession[] {
  const policy = render(references, home);
  if (policy.length <= longestPolicy || references.length < 2) return [{ references, policy }];
  return halve(references).flatMap((half) => narrowSessions(half, home));
}

/** STS packs policies in a way that it does not publish: where it refuses one that is short enough, two halves go. */
export function halve<T>(items: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function render(references: readonly Reference[], home: Location): string {
  const places = references.map((reference) => reference.location ?? home);
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['ssm:GetParameter', 'ssm:GetParameters'],
        Resource: [...new Set(references.map((reference) => arnOf(reference, home)))],
      },
      {
        Effect: 'Allow',
        Action: 'kms:Decrypt',
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': [...new Set(places.map(parameterStoreHost))] } },
      },
    ],
  });
}

/** @source KMS Developer Guide, "kms:ViaService" */
function parameterStoreHost({ region }: Location): string {
  return `ssm.${region}.${dnsSuffix(region)}`;
}
