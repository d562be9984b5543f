/** EC2's instances and Instance Connect Endpoints. */
import { randomBytes } from 'node:crypto';

import { partitionOf } from '../arn.ts';

export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';

export interface Place {
  /** Default: 111122223333. */
  readonly account: string;
  /** Default: eu-west-1. */
  readonly region: string;
}

export interface LaunchedInstance extends Place {
  readonly instanceId: string;
  readonly state: InstanceState;
  readonly tags: Readonly<Record<string, string>>;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly availabilityZone: string;
  /** Undefined: none, as in a subnet with only IPv6. */
  readonly privateIp: string | undefined;
  readonly publicIp: string | undefined;
  readonly ipv6: string | undefined;
  readonly platform: 'windows' | undefined;
  readonly launchTime: Date;
  /** Its ports → ports on 127.0.0.1, for tunnels. Other ports refuse connections. */
  readonly ports: Readonly<Record<number, number>>;
}

export interface ConnectEndpoint extends Place {
  /** `eice-…` */
  readonly endpointId: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly state: string;
  /** With the port if it is not 443. Default: the local AWS. */
  readonly dnsName: string | undefined;
  readonly fipsDnsName: string | undefined;
}

const defaults = {
  account: '111122223333',
  region: 'eu-west-1',
  vpcId: 'vpc-0a1b2c3d',
  subnetId: 'subnet-0a1b2c3d',
};

export class Ec2 {
  readonly #instances = new Map<string, LaunchedInstance>();
  readonly #endpoints: ConnectEndpoint[] = [];
  /** Items in one answer; the rest is on further pages. */
  pageSize = 1000;

  /** Replaces an instance with the same id. Default: running, without tags, with only a private address. */
  launch(input: Partial<LaunchedInstance> = {}): LaunchedInstance {
    const region = input.region ?? defaults.region;
    const instance: LaunchedInstance = {
      ...defaults,
      instanceId: `i-0${randomBytes(8).toString('hex')}`,
      state: 'running',
      tags: {},
      availabilityZone: `${region}a`,
      privateIp: `10.0.0.${String(this.#instances.size + 10)}`,
      ...{ publicIp: undefined, ipv6: undefined, platform: undefined },
      launchTime: new Date('2026-11-01T10:00:00Z'),
      ports: {},
      ...input,
    };
    this.#instances.set(instance.instanceId, instance);
    return instance;
  }

  setState(instanceId: string, state: InstanceState): void {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined) throw new TypeError(`no such instance: ${instanceId}`);
    this.#instances.set(instanceId, { ...instance, state });
  }

  createConnectEndpoint(input: Partial<ConnectEndpoint> = {}): ConnectEndpoint {
    const endpoint: ConnectEndpoint = {
      ...defaults,
      endpointId: `eice-0${randomBytes(8).toString('hex')}`,
      state: 'create-complete',
      ...{ dnsName: undefined, fipsDnsName: undefined },
      ...input,
    };
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  find(instanceId: string, { account, region }: Place): LaunchedInstance | undefined {
    const instance = this.#instances.get(instanceId);
    return instance?.account === account && instance.region === region ? instance : undefined;
  }

  instancesIn({ account, region }: Place): LaunchedInstance[] {
    return [...this.#instances.values()].filter((one) => one.account === account && one.region === region);
  }

  endpointsIn({ account, region }: Place): ConnectEndpoint[] {
    return this.#endpoints.filter((one) => one.account === account && one.region === region);
  }

  /** Removes every instance and endpoint. */
  clear(): void {
    this.#instances.clear();
    this.#endpoints.length = 0;
    this.pageSize = 1000;
  }
}

export function instanceArn({
  account,
  region,
  instanceId,
}: Place & { readonly instanceId: string }): string {
  return `arn:${partitionOf(region)}:ec2:${region}:${account}:instance/${instanceId}`;
}
