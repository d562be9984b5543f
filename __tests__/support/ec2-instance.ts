/** An EC2 instance with a real sshd on 127.0.0.1 that accepts keys pushed by EC2 Instance Connect. Needs sshd. */
import { mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchedInstance, LocalAws } from './aws/local-aws.ts';
import { Grants } from './git-host/grants.ts';
import { startOpenSshServer } from './git-host/openssh-server.ts';
import { makeSshKey, type SshKey } from './ssh-keys.ts';

export interface Ec2InstanceOptions extends Partial<Omit<LaunchedInstance, 'ports'>> {
  /** false: without the package ec2-instance-connect, so that sshd does not ask for pushed keys. Default: true. */
  readonly instanceConnect?: boolean;
  /** The host key. Default: a new one, so a second instance of the same id has another host key. */
  readonly hostKey?: SshKey;
  /** Public key lines that are also accepted. */
  readonly authorizedKeys?: readonly string[];
}

export interface Ec2Instance {
  readonly instanceId: string;
  /** The only login name: the user who runs the tests. */
  readonly user: string;
  /** sshd's port on 127.0.0.1. */
  readonly port: number;
  /** For the Session Manager agent of this instance: 22 → sshd's port. */
  readonly ports: Readonly<Record<number, number>>;
  readonly hostKey: SshKey;
  /** sshd's log. */
  journal(): string;
  stop(): Promise<void>;
}

/** Also launches it in EC2. Its `ports` are known to the Instance Connect Endpoints there. */
export async function startEc2Instance(
  aws: LocalAws,
  { instanceConnect = true, hostKey, authorizedKeys = [], ...launch }: Ec2InstanceOptions = {},
): Promise<Ec2Instance> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ec2-instance-')));
  const journal = join(folder, 'journal');
  writeFileSync(journal, '');
  const grants = new Grants(folder, '/bin/false');
  const key = hostKey ?? (await makeSshKey());
  const setup = { folder, journal, hostKeys: [key], grants, program: '/bin/false' };
  const server = await startOpenSshServer(setup);
  const ports = { 22: server.port };
  const { instanceId } = aws.ec2.launch({ ...launch, ports });
  const authorize = (pushed: readonly string[]): void => {
    const next = `${grants.authorizedKeysFile}.next`;
    writeFileSync(next, [...authorizedKeys, ...pushed, ''].join('\n'), { mode: 0o600 });
    renameSync(next, grants.authorizedKeysFile);
  };
  authorize([]);
  aws.pushedKeys.watch(instanceId, (keys) => {
    if (instanceConnect)
      authorize(keys.filter(({ user }) => user === server.user).map(({ publicKey }) => publicKey));
  });
  return {
    ...{ instanceId, ports, hostKey: key, user: server.user, port: server.port },
    journal: () => readFileSync(journal, 'utf8'),
    stop: async () => {
      aws.pushedKeys.unwatch(instanceId);
      await server.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
