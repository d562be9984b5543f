import { afterEach, beforeEach, describe, expect, it as everyIt } from '@jest/globals';
import {
  ACCOUNT,
  allow,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import type { Fault } from '../support/aws/local-aws.ts';
import { startGateway, type Gateway, type Trouble } from '../support/aws/wire/gateway.ts';
import type { StepResult } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it, rowsOf } from '../support/parts.ts';
import { columnsInTurn } from '../support/sample.ts';

const regions = ['eu-west-1', 'eu-central-1', 'us-east-1'] as const;
const [first, second, third] = regions;

describe('several regions', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let gateway: Gateway;

  beforeEach(async () => {
    world = await startReadyWorld({ tls: true, regions });
    gateway = await startGateway({ leads: world.aws.endpoint });
    const policies = [
      allow(['ssm:GetParameter', 'ssm:GetParameters'], `arn:aws:ssm:*:${ACCOUNT}:parameter/ci/*`),
    ];
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
    for (const region of regions) world.put('/ci/key', stage.key.privateKey, { region });
  });
  afterEach(async () => {
    gateway.close();
    await world.stop();
  });

  /** AWS by its own host names, which the gateway leads to the local one. */
  const environment = (): Record<string, string> => {
    const { AWS_ENDPOINT_URL: endpoint, ...env } = world.jobEnvironment();
    expect(endpoint).toBe(world.aws.endpoint);
    return { ...env, HTTPS_PROXY: gateway.url };
  };
  const load = async (more: Record<string, string> = {}): Promise<StepResult & { seconds: number }> => {
    const started = Date.now();
    const inputs = {
      ...{ keys: '/ci/key', 'aws-region': `${first}, ${second}`, 'role-to-assume': ROLE_ARN },
      ...{ 'max-attempts': '2', 'timeout-seconds': '30', ...more },
    };
    const main = await stage.job({ env: environment() }).uses({ with: inputs });
    return { ...main, seconds: (Date.now() - started) / 1000 };
  };
  /** `sts eu-west-1 503`, in order; no status where nothing was answered. */
  const calls = (): string[] =>
    world.aws.calls
      .filter(({ service }) => service !== 'oidc')
      .map(({ service, region, status }) => [service, region, status].filter(Boolean).join(' '));
  const warnings = ({ annotations }: StepResult): string[] =>
    annotations
      .filter(({ level }) => level === 'warning')
      .map(({ message }) => message.replace(/^ssm-ssh-agent: /, ''));

  it('are one as long as the first can be reached', async () => {
    const main = await load();
    expect(told(main).text).toBe('');
    expect(calls()).toEqual([`sts ${first} 200`, `ssm ${first} 200`]);
    expect(warnings(main)).toEqual([]);
  });

  it.each(['sts', 'ssm'])(
    '%s of the first is down: the second is tried, and the log says so',
    async (service) => {
      gateway.trouble.set(`${service}.${first}`, 'down');
      const main = await load();
      expect(told(main).text).toBe('');
      const role = service === 'sts' ? second : first;
      expect(calls()).toEqual([`sts ${role} 200`, `ssm ${second} 200`]);
      expect(gateway.tunnels.filter((host) => host === `${service}.${first}.amazonaws.com:443`)).not.toEqual(
        [],
      );
      expect(warnings(main)).toEqual([
        expect.stringMatching(`^${service} in ${first} cannot be reached .*: trying ${second}$`),
      ]);
    },
  );

  const troubles: readonly [Fault, number | undefined][] = [
    ['throttling', 400],
    ['unavailable', 503],
    ['bad-gateway', 502],
    ['reset', undefined],
  ];
  everyIt.each(
    rowsOf(columnsInTurn(troubles, ['sts', 'ssm'])).map(
      ([[fault, status], service]) => [service, fault, status] as const,
    ),
  )(
    '%s of the first has %s to the end of max-attempts: the second is tried',
    async (service, fault, status) => {
      world.aws.faults.order({ operation: `${service}:*`, region: first, fault });
      const main = await load();
      expect(told(main).text).toBe('');
      const failed = [service, first, status].filter(Boolean).join(' ');
      const role =
        service === 'sts' ? [failed, failed, `sts ${second} 200`] : [`sts ${first} 200`, failed, failed];
      expect(calls()).toEqual([...role, `ssm ${second} 200`]);
      expect(warnings(main)).toEqual([expect.stringContaining(`: trying ${second}`)]);
    },
  );

  it.each(['sts', 'ssm'])(
    '%s of the first hangs: it has its share of the time for two tries, and no more',
    async (service) => {
      world.aws.faults.order({ operation: `${service}:*`, region: first, fault: 'hang' });
      const main = await load({ 'timeout-seconds': '18', 'max-attempts': '5' });
      expect(told(main).text).toBe('');
      const role =
        service === 'sts'
          ? [`sts ${first}`, `sts ${first}`, `sts ${second} 200`]
          : [`sts ${first} 200`, `ssm ${first}`, `ssm ${first}`];
      expect(calls()).toEqual([...role, `ssm ${second} 200`]);
      expect(warnings(main)).toEqual([`${first} did not answer within 6 seconds: trying ${second}`]);
      expect(main.seconds).toBeGreaterThan(6);
      expect(main.seconds).toBeLessThan(30);
    },
  );

  it.each<Trouble>(['down', 'hanging'])(
    'two of three are %s: the third serves, within timeout-seconds',
    async (trouble) => {
      for (const region of [first, second]) gateway.trouble.set(region, trouble);
      const main = await load({ 'aws-region': regions.join('\n'), 'timeout-seconds': '18' });
      expect(told(main).text).toBe('');
      expect(calls()).toEqual([`sts ${third} 200`, `ssm ${third} 200`]);
      expect(warnings(main)).toHaveLength(2);
      expect(main.seconds).toBeLessThan(30);
    },
  );

  it('are all down: the error is that of the last, and the log has the others', async () => {
    for (const region of regions) gateway.trouble.set(region, 'down');
    const main = await load();
    expect(told(main).code).toBe('NETWORK_UNREACHABLE');
    expect(told(main).text).toContain(`sts in ${second} cannot be reached`);
    expect(warnings(main)).toHaveLength(1);
    expect(main.env).toEqual({});
  });

  it('all hang: TIMEOUT, when timeout-seconds are over', async () => {
    for (const region of regions) gateway.trouble.set(region, 'hanging');
    const main = await load({ 'timeout-seconds': '3' });
    expect(told(main).code).toBe('TIMEOUT');
    expect(main.seconds).toBeLessThan(30);
  });

  it.each([
    ['is missing', 'KEY_NOT_FOUND', '/ci/only-there'],
    ['is denied', 'KEY_ACCESS_DENIED', '/other/key'],
  ])('are not tried if a key %s in the first Region', async (_, code, name) => {
    world.put(name, stage.key.privateKey, { region: second });
    const main = await load({ keys: name });
    expect(told(main).code).toBe(code);
    expect(calls().filter((call) => call.includes(second))).toEqual([]);
    expect(warnings(main)).toEqual([]);
  });

  it('are not tried if the role is refused', async () => {
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub('repo:acme/other:*') });
    const main = await load();
    expect(told(main).code).toBe('ASSUME_ROLE_DENIED');
    expect(calls().filter((call) => !call.startsWith(`sts ${first}`))).toEqual([]);
  });

  it('leave a reference that is an ARN in its own', async () => {
    const arn = world.put('/ci/there', stage.key.privateKey, { region: third });
    world.aws.faults.order({ operation: 'ssm:*', region: first, fault: 'unavailable' });
    const main = await load({ keys: `/ci/key\n${arn}` });
    expect(told(main).text).toBe('');
    const read = world.aws.calls.filter(({ service, status }) => service === 'ssm' && status === 200);
    expect(read.map(({ region, parameters }) => [region, parameters['Name']]).sort()).toEqual([
      [second, '/ci/key'],
      [third, arn],
    ]);
  });

  it('do not stand in for the region of an ARN', async () => {
    const arn = world.put('/ci/there', stage.key.privateKey, { region: third });
    world.aws.faults.order({ operation: 'ssm:*', region: third, fault: 'unavailable' });
    const main = await load({ keys: arn });
    expect(told(main).code).toBe('PROVIDER_FAILED');
    expect(calls().filter((call) => call.includes(second))).toEqual([]);
  });

  it('are what the session may read in, and no other', async () => {
    await load();
    const { Policy } = world.aws.calls.find(({ service }) => service === 'sts')?.parameters ?? {};
    const { Statement } = JSON.parse(String(Policy)) as {
      Statement: [{ Condition: unknown; Resource: unknown }];
    };
    expect(Statement[0]).toMatchObject({
      Resource: [`arn:aws:ssm:*:${ACCOUNT}:parameter/ci/key`],
      Condition: { StringEquals: { 'aws:RequestedRegion': [first, second] } },
    });
  });

  it('serve a job without a role, whose account is asked for where it can be reached', async () => {
    const credentials = world.aws.iam.createSession({ roleArn: ROLE_ARN });
    gateway.trouble.set(first, 'down');
    const { AWS_ENDPOINT_URL: endpoint, ...env } = {
      ...environment(),
      ...world.aws.environment({ credentials }),
    };
    expect(endpoint).toBe(world.aws.endpoint);
    const inputs = {
      keys: '/ci/key',
      'aws-region': `${first},${second}`,
      'max-attempts': '1',
      'allowed-account-ids': ACCOUNT,
    };
    const main = await stage.job({ env }).uses({ with: inputs });
    expect(told(main).text).toBe('');
    expect(calls()).toEqual([`sts ${second} 200`, `ssm ${second} 200`]);
  });
});
