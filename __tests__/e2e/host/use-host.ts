/** For each test: a host whose instance may read `/ci/key`, the deploy key of `acme/lib` on a git host. */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance } from '../../support/ec2-host.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';

export interface Hosting {
  readonly world: ReadyWorld;
  readonly git: GitHost;
  readonly key: SshKey;
  readonly host: Ec2Host;
  /** Number of calls to Parameter Store so far. */
  readonly calls: () => number;
}

export function useHost(): Hosting {
  let world: ReadyWorld;
  let git: GitHost;
  let key: SshKey;
  let host: Ec2Host;
  beforeAll(async () => {
    [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
    await git.createRepository('acme/lib');
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world);
    world.put('/ci/key', key.privateKey);
    host = new Ec2Host(world, [git], { SSM_SSH_KEY: '/ci/key' });
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });
  return {
    get world() {
      return world;
    },
    get git() {
      return git;
    },
    get key() {
      return key;
    },
    get host() {
      return host;
    },
    calls: () => world.aws.calls.filter(({ service }) => service === 'ssm').length,
  };
}
