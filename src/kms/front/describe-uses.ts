/** The log of an agent in front, as lines for people. */
import type { LogPage, Use } from './use-log.ts';

/** One line for each use. */
export function describeUses({ uses, totals }: Omit<LogPage, 'hasMore'>): string[] {
  const shown = uses.filter(({ outcome }) => outcome === 'signed').length;
  const signed = totals.signed - shown;
  const others = totals.refused + totals.failed - (uses.length - shown);
  return [
    ...uses.map((use) => `${use.time} ${use.comment}: ${whatOf(use)}`),
    ...(signed > 0 ? [`${signed} more signatures are only in CloudTrail`] : []),
    ...(others > 0 ? [`${others} more requests that got no signature are no longer in the log`] : []),
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
  if (purpose === 'unknown') return 'a signature';
  return `a login as ${user ?? '?'} at ${host ?? hostKey ?? '?'}`;
}
