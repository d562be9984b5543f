/** `certify`: sign a user's or a host's public key. */
import { certifyOptions } from '../certify/options.ts';
import { command } from '../command-line/command.ts';

export const certify = command({
  name: 'certify',
  summary: "Sign a user's or a host's public key, and print the certificate",
  synopsis: 'FILE --ca REF --principals NAMES [OPTION …]',
  examples: [
    [
      'certify id_ed25519.pub --ca kms:alias/user-ca --principals deploy --valid 8h --extensions permit-pty',
      'a certificate to log in as deploy for eight hours, with a terminal',
    ],
    [
      'certify --host /etc/ssh/ssh_host_ed25519_key.pub --ca kms:alias/host-ca --principals web-1.example.com',
      "of a host's key",
    ],
    [
      'certify - --ca kms:alias/user-ca --principals backup --force-command /opt/backup',
      'from standard input',
    ],
  ],
  options: certifyOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { certifyKey } = await import('../certify/certify-key.ts');
    return await certifyKey(line, running);
  },
});
