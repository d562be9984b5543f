/** The log of an agent in front, as lines for people. */
import type { LogPage, Use } from './use-log.ts';

/** One line for each use. */
export function describeUses({ uses, totals }: Omit<LogPage, 'hasMore'>): string[] {
  const left = totals.signed + totals.refused + totals.failed - uses.length;
  return [
    ...uses.map((use) => `${use.time} ${use.comment}: ${whatOf(use)}`),
    ...(left > 0 ? [`${left} more signatures are only in CloudTrail`] : []),
  ];
}

function whatOf({ outcome, purpose, host, hostKey, user, algorithm, failure }: Use): string {
  const where =
    purpose === 'git' ? 'a signature of git' : `a login as ${user ?? '?'} at ${host ?? hostKey ?? '?'}`;
  if (outcome === 'signed') return `signed ${where} by ${algorithm ?? '?'}`;
  return `${outcome} ${where}: ${failure?.code ?? ''} ${failure?.message ?? ''}`.trim();
}
