/** The options of setup. Apart from its code, because --help of every command loads this file. Pure. */
import type { Options } from '../command-line/parse.ts';
import { ways } from '../../src/aws/ec2-session-policy.ts';

export const setupOptions = {
  system: { type: 'boolean', help: 'write for every user of this host (as root)' },
  global: { type: 'boolean', help: 'write for this user' },
  key: {
    ...({ type: 'string', multiple: true, value: 'REF' } as const),
    help: "a key, or a line as in the action's keys: 'REF [passphrase=REF] [ca=REF …] [REPOSITORY …]'; may be given several times",
  },
  credential: {
    ...({ type: 'string', multiple: true, value: 'REF' } as const),
    help: "a token for HTTPS, or 'REF [username=NAME] REPOSITORY …'; may be given several times",
  },
  passphrase: { type: 'string', value: 'REF', help: 'where the passphrase of the key is stored' },
  'key-lifetime': {
    type: 'string',
    value: 'TIME',
    help: 'how long the agent keeps a key: 90s, 15m, 6h (default 1h)',
  },
  via: {
    ...({ type: 'string', value: 'WAY' } as const),
    choices: ways,
    help: 'the way to EC2 hosts: session-manager, instance-connect-endpoint or direct',
  },
  'known-hosts': {
    type: 'string',
    value: 'FILE',
    help: 'a file with the keys of your own git hosts, as ssh-keyscan prints them',
  },
  remove: { type: 'boolean', help: 'remove what setup wrote, and nothing else' },
  'dry-run': { type: 'boolean', help: 'print what would be written or removed, and change nothing' },
  force: {
    type: 'boolean',
    help: 'override a core.sshCommand that setup did not write; --remove restores it',
  },
} as const satisfies Options;
