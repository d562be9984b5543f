/** The installed shells in which the scripts have to work: program and arguments. */
import { installed } from './needs.ts';

export type Shell = readonly [string, ...string[]];

export const shells: readonly Shell[] = [
  ['sh'],
  ...(installed('dash') ? [['dash'] as const] : []),
  ...(installed('bash') ? [['bash', '--posix'] as const] : []),
  ...(installed('busybox') ? [['busybox', 'ash'] as const] : []),
];
