/** A host on 127.0.0.1 that lets in who has a certificate of its authority. Needs sshd. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Grants } from './git-host/grants.ts';
import { startOpenSshServer } from './git-host/openssh-server.ts';
import { makeSshKey, type SshKey } from './ssh-keys.ts';

export interface CertifiedHostOptions {
  /** Public keys that TrustedUserCAKeys names. */
  readonly authorities: readonly string[];
  /** Names that open the account: AuthorizedPrincipalsFile. */
  readonly principals: readonly string[];
  readonly hostKey?: SshKey;
  /** The line of a certificate for `hostKey`. */
  readonly hostCertificate?: string;
  /** A path for HostCertificate, whether there is a file or not. Default: none without hostCertificate. */
  readonly hostCertificateFile?: string;
  /** A path for RevokedKeys. Default: an empty file of the host's own. */
  readonly revokedKeys?: string;
}

export interface CertifiedHost {
  readonly port: number;
  readonly user: string;
  readonly hostKey: SshKey;
  /** A line for the host's plain key. */
  readonly knownHosts: string;
  /** RevokedKeys: a list of public keys, or a KRL. sshd reads it at each login. */
  readonly revokedKeys: string;
  readonly pid: number | undefined;
  /** sshd's log so far. */
  log(): string;
  stop(): Promise<void>;
}

export async function startCertifiedHost(options: CertifiedHostOptions): Promise<CertifiedHost> {
  const folder = mkdtempSync(join(tmpdir(), 'certified-host-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const { authorities, principals, hostKey = await makeSshKey(), hostCertificate } = options;
  const journal = file('journal', '');
  const { revokedKeys = file('revoked', '') } = options;
  const hostCertificateFile =
    options.hostCertificateFile ??
    (hostCertificate === undefined ? undefined : file('host-key-0-cert.pub', hostCertificate));
  const settings = [
    `TrustedUserCAKeys "${file('authorities', authorities.map((line) => `${line}\n`).join(''))}"`,
    `AuthorizedPrincipalsFile "${file('principals', principals.map((line) => `${line}\n`).join(''))}"`,
    `RevokedKeys "${revokedKeys}"`,
    ...(hostCertificateFile === undefined ? [] : [`HostCertificate "${hostCertificateFile}"`]),
  ];
  const grants = new Grants(folder, '/bin/false');
  const server = await startOpenSshServer({
    ...{ folder, journal, grants, settings, hostKeys: [hostKey], program: '/bin/false' },
  });
  return {
    ...{ hostKey, revokedKeys, port: server.port, user: server.user, pid: server.pid },
    knownHosts: `[127.0.0.1]:${server.port} ${hostKey.publicKey}\n`,
    log: () => readFileSync(journal, 'utf8'),
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
