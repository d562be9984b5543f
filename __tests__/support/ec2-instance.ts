/** An EC2 instance with a real sshd on 127.0.0.1, which lets in whoever's key was pushed by EC2 Instance Connect. By sshd alone. */
import { mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LaunchedInstance, LocalAws } from './aws/local-aws.ts';
import { Grants } from './git-host/grants.ts';
import { startOpenSshServer } from './git-host/openssh-server.ts';
import { makeSshKey, type SshKey } from './ssh-keys.ts';

export interface Ec2InstanceOptions extends Partial<Omit<LaunchedInstance, 'ports'>> {
  /** false: without the package ec2-instance-connect, so that no pushed key is asked for. Default: true. */
  readonly instanceConnect?: boolean;
  /** Of the host. Default: a new one; a second instance of the same id then is one whose host key has changed. */
  readonly hostKey?: SshKey;
  /** Public key lines that are let in as well. */
  readonly authorizedKeys?: readonly string[];
}

export interface Ec2Instance {
  readonly instanceId: string;
  /** The one login name that there is: whoever runs the tests. */
  readonly user: string;
  /** Of sshd, on 127.0.0.1. */
  readonly port: number;
  /** For the Session Manager agent of this instance: 22 → where sshd is. */
  readonly ports: Readonly<Record<number, number>>;
  readonly hostKey: SshKey;
  /** What sshd wrote. */
  journal(): string;
  stop(): Promise<void>;
}

/** Launches it in EC2, too; its `ports` are known to the Instance Connect Endpoints there. */
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
