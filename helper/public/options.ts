/** The options of public. Apart from its code, because --help of every command loads this file. Pure. */
import type { Options } from '../command-line/parse.ts';

export const publicOptions = {
  'allowed-signers': {
    type: 'boolean',
    help: "print lines of git's allowed signers file (gpg.ssh.allowedSignersFile)",
  },
  principal: {
    ...({ type: 'string', value: 'ADDRESS' } as const),
    help: 'with --allowed-signers: whose commits the key may sign, as addresses or patterns with commas between (default: *, anybody)',
  },
} as const satisfies Options;
