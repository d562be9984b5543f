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

function whatOf(use: Use): string {
  const { outcome, algorithm, failure } = use;
  if (outcome === 'signed') return `signed ${purposeOf(use)} by ${algorithm ?? '?'}`;
  return `${outcome} ${purposeOf(use)}: ${failure?.code ?? ''} ${failure?.message ?? ''}`.trim();
}

function purposeOf({ purpose, host, hostKey, user }: Use): string {
  if (purpose === 'git') return 'a signature of git';
  if (purpose === 'certificate') return 'to renew the certificate';
  return `a login as ${user ?? '?'} at ${host ?? hostKey ?? '?'}`;
}
