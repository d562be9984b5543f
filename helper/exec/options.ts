/** The options of exec. Apart from its code, because --help of every command loads this file. Pure. */
import type { Options } from '../command-line/parse.ts';
import { cacheOption } from '../command-line/cache-option.ts';

export const execOptions = {
  key: {
    ...({ type: 'string', multiple: true, value: 'REF' } as const),
    help: "a key, or a whole line as in the action's keys: 'REF [OPTION=VALUE …] [REPOSITORY …]'; may be given several times",
  },
  lifetime: {
    type: 'string',
    value: 'TIME',
    help: 'how long the agent keeps the keys: 90s, 15m, 6h (default: until the command ends)',
  },
  'known-hosts': { type: 'string', value: 'FILE', help: 'host keys beside the pinned ones' },
  'strict-host-key-checking': {
    ...({ type: 'string', value: 'WORD', help: 'yes (default), accept-new or no' } as const),
    choices: ['yes', 'accept-new', 'no'],
  },
  ...cacheOption,
} as const satisfies Options;
