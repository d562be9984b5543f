/** The options of add. Apart from its code, because --help of every command loads this file. Pure. */
import { cacheOption } from '../command-line/cache-option.ts';

export const addOptions = {
  lifetime: {
    type: 'string',
    value: 'TIME',
    help: 'the agent forgets the keys after 90s, 15m, 6h; 0: never (default 1h)',
  },
  agent: { type: 'boolean', help: 'start a new agent, and print the export lines for it' },
  ...cacheOption,
} as const;
