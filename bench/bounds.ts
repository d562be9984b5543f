/** The bounds of the project, each with the figure that is compared with it. */

export interface Bound {
  readonly what: string;
  readonly section: string;
  /** The name of a figure of the section. */
  readonly figure: string;
  readonly most: number;
  /** Shown if the bound is not met: why, and what was tried. */
  readonly reason?: string;
}

export const bounds: readonly Bound[] = [
  {
    what: 'main and post / chain, on loopback',
    section: 'action',
    figure: 'loopback: main and post / chain',
    most: 0.25,
    reason: 'the AWS CLI takes most of the time of the chain, and its start differs from machine to machine',
  },
  {
    what: 'main and post / chain, TLS with 80 ms round trips',
    section: 'action',
    figure: 'TLS, 80 ms: main and post / chain',
    most: 0.5,
  },
  {
    what: 'main / the same requests by hand with connections opened first, TLS with 80 ms round trips',
    section: 'action',
    figure: 'TLS, 80 ms: main / by hand, connections opened first',
    most: 1.5,
  },
  {
    what: 'sequential round trips of main, TLS included',
    section: 'action',
    figure: 'sequential round trips: main',
    most: 5,
  },
  {
    what: '25 keys / 1 key, on loopback',
    section: 'action',
    figure: 'loopback: 25 keys / 1 key',
    most: 1.3,
  },
  {
    what: '25 keys / 1 key, TLS with 80 ms round trips',
    section: 'action',
    figure: 'TLS, 80 ms: 25 keys / 1 key',
    most: 1.3,
  },
  {
    what: 'main with a refused input / a bare Node, processor time',
    section: 'load',
    figure: 'main, refused input / bare Node, processor',
    most: 2.2,
  },
  {
    what: 'main that succeeds / main before this work, processor time',
    section: 'load',
    figure: 'main / main before, processor',
    most: 0.75,
    reason:
      'nearly all of it is loading Node, its HTTPS and the AWS SDK; on a busy machine it is 0.74 to 0.79 in runs of 21 rounds.',
  },
  {
    what: 'post with an agent to end / a bare Node, processor time',
    section: 'load',
    figure: 'post / bare Node, processor',
    most: 2,
  },
  {
    what: 'post with an agent to end / a bare Node, wall time',
    section: 'load',
    figure: 'post / bare Node, wall',
    most: 2.5,
  },
  {
    what: 'ssm-ssh, warm - plain ssh, in ms',
    section: 'ssm-ssh',
    figure: 'warm - plain',
    most: 10,
    reason:
      'a warm connection starts a shell and git config; on a busy machine each start waits: see the fastest runs and the processor time',
  },
  {
    what: 'ssm-ssh, (cold - plain) / (script - plain)',
    section: 'ssm-ssh',
    figure: '(cold - plain) / (script - plain)',
    most: 0.3,
  },
  {
    what: 'git-credential-ssm / (cold - warm)',
    section: 'ssm-ssh',
    figure: 'git-credential-ssm / (cold - warm)',
    most: 1,
    reason: 'both do the same; on a busy machine they differ by more than this',
  },
  {
    what: '1,000 simulated hosts at once at 40/s: time until all are served / 25 s',
    section: 'fleet',
    figure: '1,000 hosts at once at 40/s: time / ideal',
    most: 1.5,
  },
  {
    what: 'the same: hosts without a key, with the recommended timeout',
    section: 'fleet',
    figure: '1,000 hosts at once at 40/s: hosts without a key',
    most: 0,
  },
  {
    what: 'the same: calls of one host',
    section: 'fleet',
    figure: '1,000 hosts at once at 40/s: calls of one host',
    most: 8,
  },
  {
    what: 'the slowest run of doctor on a sound host, in ms',
    section: 'doctor',
    figure: 'the slowest run',
    most: 3_000,
  },
];
