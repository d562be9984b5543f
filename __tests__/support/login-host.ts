/** A host on 127.0.0.1 where one key can log in, with a shell and sftp, for copies. Needs sshd. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOpenSshServer } from './git-host/openssh-server.ts';
import { Grants } from './git-host/grants.ts';
import { makeSshKey } from './ssh-keys.ts';

export interface LoginHost {
  readonly port: number;
  readonly user: string;
  readonly knownHosts: string;
  stop(): Promise<void>;
}

export async function startLoginHost(publicKey: string): Promise<LoginHost> {
  const folder = mkdtempSync(join(tmpdir(), 'login-host-'));
  const journal = join(folder, 'journal');
  writeFileSync(journal, '');
  const hostKey = await makeSshKey();
  const grants = new Grants(folder, '/bin/false');
  writeFileSync(grants.authorizedKeysFile, `${publicKey}\n`, { mode: 0o600 });
  const server = await startOpenSshServer({
    folder,
    journal,
    hostKeys: [hostKey],
    grants,
    program: '/bin/false',
  });
  return {
    port: server.port,
    user: server.user,
    knownHosts: `[127.0.0.1]:${server.port} ${hostKey.publicKey}\n`,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
