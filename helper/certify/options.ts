/** The options of certify. Apart from its code, because --help of every command loads this file. Pure. */
import type { Options } from '../command-line/parse.ts';

export const certifyOptions = {
  ca: {
    ...({ type: 'string', value: 'REF' } as const),
    help: 'the key of the authority: kms:alias/NAME, or a stored key ("REF passphrase=REF" in quotes if it has a passphrase)',
  },
  principals: {
    ...({ type: 'string', value: 'NAMES' } as const),
    help: 'the accounts that it opens, or the names of the host, with commas between them',
  },
  host: { type: 'boolean', help: "FILE is a host's key; the certificate is for hosts" },
  valid: {
    ...({ type: 'string', value: 'TIME' } as const),
    help: 'how long: 15m, 8h, 7d (default 15m, and 7d with --host)',
  },
  'key-id': {
    ...({ type: 'string', value: 'TEXT' } as const),
    help: "the name in sshd's log (default: the principals)",
  },
  serial: {
    ...({ type: 'string', value: 'N' } as const),
    help: 'the serial number, for lists of revoked keys (default: a random one)',
  },
  extensions: {
    ...({ type: 'string', value: 'LIST' } as const),
    help: 'what a user may do: permit-pty, permit-port-forwarding, …, NAME@DOMAIN=VALUE (default: none)',
  },
  'source-address': {
    ...({ type: 'string', value: 'LIST' } as const),
    help: 'the addresses and networks that a user may come from (default: all)',
  },
  'force-command': {
    ...({ type: 'string', value: 'COMMAND' } as const),
    help: 'the only command that a user may run (default: any)',
  },
} as const satisfies Options;
