/** How many connections to each service are in use at the same time while main reads the keys. Pure. */
import { mostReferences } from '../aws/session-policy.ts';
import { identityOf, type Reference } from '../keys/reference.ts';
import { batchSizes } from '../secrets/batch-sizes.ts';

export type EarlyService = 'sts' | 'ssm' | 'secretsmanager';

const kindsOf = { ssm: 'parameter', secretsmanager: 'secret' } as const;

/**
 * A guess: STS may refuse a policy as too large, and secrets that differ by their JSON key only are read once.
 *
 * @param isNarrowed whether `session-policy: auto` opens a session for each part of the references
 * @returns the services that are asked, with at least one connection each
 */
export function earlyConnections(
  references: readonly Reference[],
  isNarrowed: boolean,
): ReadonlyMap<EarlyService, number> {
  const size = isNarrowed ? mostReferences : Math.max(1, references.length);
  const sessions = Array.from({ length: Math.max(1, Math.ceil(references.length / size)) }, (_, number) =>
    references.slice(number * size, (number + 1) * size),
  );
  const counts = new Map<EarlyService, number>([['sts', sessions.length]]);
  for (const service of ['ssm', 'secretsmanager'] as const) {
    const kind = kindsOf[service];
    const calls = sessions.map((session) => {
      const names = new Set(session.filter((one) => one.kind === kind).map(identityOf));
      return Math.ceil(names.size / batchSizes[kind]);
    });
    const count = calls.reduce((sum, one) => sum + one, 0);
    if (count > 0) counts.set(service, count);
  }
  return counts;
}
