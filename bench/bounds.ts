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
    what: 'the slowest run of doctor on a sound host, in ms',
    section: 'doctor',
    figure: 'the slowest run',
    most: 3_000,
  },
];
