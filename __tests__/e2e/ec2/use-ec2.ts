/** For each test: a host whose instance may reach EC2 instances, and one EC2 instance with a real sshd. */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, program } from '../../support/ec2-host.ts';
import type { Ec2Instance, Ec2InstanceOptions } from '../../support/ec2-instance.ts';
import { launch, reachHosts } from '../../support/reachable-ec2.ts';

export interface Ec2Stage {
  readonly world: ReadyWorld;
  readonly host: Ec2Host;
  readonly instance: Ec2Instance;
  /** `ssm-ssh USER@INSTANCE`, quoted for sh if needed. */
  readonly ssh: string;
  /** `USER@INSTANCE` */
  readonly target: string;
  /** Number of calls of an operation. */
  readonly count: (operation: string) => number;
}

export interface Ec2StageOptions {
  readonly via?: 'session-manager' | 'instance-connect-endpoint';
  readonly policies?: readonly PolicyDocument[];
  readonly instance?: Ec2InstanceOptions;
}

export function useEc2({
  via = 'session-manager',
  policies = reachHosts,
  ...more
}: Ec2StageOptions = {}): Ec2Stage {
  let world: ReadyWorld;
  let host: Ec2Host;
  let instance: Ec2Instance;
  beforeAll(async () => {
    world = await startReadyWorld({ tls: via === 'instance-connect-endpoint' });
    world.aws.ec2.createConnectEndpoint();
    launchInstance(world, policies);
    instance = await launch(world, { tags: { Name: 'web-1' }, ...more.instance });
  });
  afterAll(async () => {
    await instance.stop();
    await world.stop();
  });
  beforeEach(() => {
    host = new Ec2Host(world, [], { SSM_SSH_VIA: via });
    host.configure([]);
    world.aws.forgetCalls();
  });
  afterEach(() => {
    host.dispose();
  });
  const target = (): string => `${instance.user}@${instance.instanceId}`;
  return {
    get world() {
      return world;
    },
    get host() {
      return host;
    },
    get instance() {
      return instance;
    },
    get target() {
      return target();
    },
    get ssh() {
      return `${program} ${target()}`;
    },
    count: (operation) => world.aws.calls.filter((call) => call.operation === operation).length,
  };
}
