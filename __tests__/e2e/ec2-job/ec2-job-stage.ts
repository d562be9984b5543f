/** The set-up of jobs that reach EC2 hosts: an account, its role for one instance, the instance, and steps without Node. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { ACCOUNT, REGION, startReadyWorld, trustGitHub, type ReadyWorld } from '../../support/aws/world.ts';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { startEc2Instance, type Ec2Instance, type Ec2InstanceOptions } from '../../support/ec2-instance.ts';
import { createJob, type Job, type JobOptions } from '../../support/runner/job.ts';
import { actionPath } from '../stage.ts';

/** The instance id of the examples. */
export const instanceId = 'i-0123456789abcdef0';
export const DEPLOY_ARN = `arn:aws:iam::${ACCOUNT}:role/deploy`;

export const deployInputs = { 'aws-region': REGION, 'role-to-assume': DEPLOY_ARN };

/** Of the tunnels to EC2 hosts. */
export type Tunnelled = 'session-manager' | 'instance-connect-endpoint';

export interface Ec2JobStage {
  readonly world: ReadyWorld;
  readonly instance: Ec2Instance;
  /** A folder that is removed with the stage. */
  readonly folder: string;
  /** Jobs are disposed of with the stage. */
  job(env?: Record<string, string>, options?: Partial<JobOptions>): Job;
  launch(options: Ec2InstanceOptions): Promise<Ec2Instance>;
  /** Number of tunnels that AWS holds open. */
  readonly open: number;
}

/** The text of an example, with the tester's login name instead of ec2-user. */
export function example(path: string, user: string): string {
  return readFileSync(join(actionPath, 'examples', path), 'utf8').replaceAll('ec2-user', user);
}

const policy = { 'session-manager': 'by-tag', 'instance-connect-endpoint': 'by-endpoint' } as const;

/** One stage for all tests of the surrounding `describe`. */
export function useEc2JobStage(via: Tunnelled): Ec2JobStage {
  let world: ReadyWorld;
  let instance: Ec2Instance;
  let folder: string;
  const jobs: Job[] = [];
  const instances: Ec2Instance[] = [];
  const launch = async (options: Ec2InstanceOptions): Promise<Ec2Instance> => {
    const launched = await startEc2Instance(world.aws, { privateIp: '10.0.1.7', ...options });
    instances.push(launched);
    const { instanceId, ports } = launched;
    const tags = options.tags ?? {};
    world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports, tags });
    return launched;
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ec2-job-'));
    world = await startReadyWorld({ tls: via === 'instance-connect-endpoint' });
    world.aws.ec2.createConnectEndpoint({ endpointId: 'eice-0123456789abcdef0' });
    instance = await launch({ instanceId, tags: { Name: 'web-1', role: 'web' } });
    world.aws.iam.createRole({
      arn: DEPLOY_ARN,
      trustPolicy: trustGitHub(),
      policies: [policy[via], 'by-instance'].map(
        (name) => JSON.parse(example(`ec2-hosts/${name}.json`, instance.user)) as PolicyDocument,
      ),
    });
  });
  afterAll(async () => {
    for (const job of jobs) job.dispose();
    await Promise.all(instances.map((one) => one.stop()));
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    get world() {
      return world;
    },
    get instance() {
      return instance;
    },
    get folder() {
      return folder;
    },
    get open() {
      const { sessions, tunnels } = world.aws;
      return via === 'session-manager' ? sessions.open.length : tunnels.open;
    },
    job: (env = {}, options = {}) => {
      const given = { ...world.jobEnvironment(), PATH: withoutNode(folder), SSM_SSH_VIA: via, ...env };
      const job = createJob({ actionPath, env: given, ...options });
      jobs.push(job);
      return job;
    },
    launch,
  };
}

/** A folder with the machine's programs, without Node. */
function withoutNode(folder: string): string {
  const bin = join(folder, 'bin');
  if (mkdirSync(bin, { recursive: true }) === undefined) return bin;
  for (const place of ['/usr/bin', '/bin', '/usr/local/bin']) {
    for (const name of readdirSync(place)) {
      if (/^(node|nodejs|npm|npx)$/.test(name)) continue;
      try {
        symlinkSync(join(place, name), join(bin, name));
      } catch {
        // A program of that name is already there.
      }
    }
  }
  return bin;
}
