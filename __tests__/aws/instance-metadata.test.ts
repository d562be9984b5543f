/** Instance metadata: requests with a token, repeated if that helps, and errors that name the right service. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { awsFailure } from '../../src/aws/failures.ts';
import { InstanceMetadata } from '../../src/aws/instance-metadata.ts';
import { machineCredentials } from '../../src/aws/machine-credentials.ts';
import { instanceRegion } from '../../src/aws/region.ts';
import type { Fault, Instance, PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/host`;
const trustPolicy: PolicyDocument = {
  Statement: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
};
const instance: Instance = { account: ACCOUNT, region: REGION, roleArn: ROLE };
const token = 'imds:PUT /latest/api/token';
const unauthorized: Fault = { error: { code: 'Unauthorized', message: '', status: 401 } };
const roles = 'imds:GET /latest/meta-data/iam/security-credentials/';

let world: ReadyWorld;
let before: NodeJS.ProcessEnv;

/** The AWS SDK reads its settings from the environment of this process. */
function setEnvironment(wanted: NodeJS.ProcessEnv): void {
  const others = Object.keys(process.env).filter((name) => name.startsWith('AWS_'));
  for (const name of others) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, wanted);
}

beforeAll(async () => {
  before = { ...process.env };
  world = await startReadyWorld();
});
beforeEach(() => {
  world.aws.faults.clear();
  world.aws.forgetCalls();
  world.aws.iam.createRole({ arn: ROLE, trustPolicy });
  world.aws.metadata.set(instance);
  setEnvironment(world.aws.environment({ metadata: true }));
});
afterAll(async () => {
  setEnvironment(before);
  await world.stop();
});

const options = (): { env: NodeJS.ProcessEnv; patience: number } => ({ env: process.env, patience: 1500 });
const metadata = (): InstanceMetadata => new InstanceMetadata(options());
const order = (operation: string, fault: Fault, times?: number): void => {
  world.aws.faults.order({ operation, fault, ...(times !== undefined && { times }) });
};
const operations = (): string[] => world.aws.calls.map(({ operation }) => operation);

describe('instance metadata', () => {
  it('return the credentials of the role, and the Region', async () => {
    expect(await metadata().credentials()).toMatchObject({
      accessKeyId: expect.stringMatching(/^ASIA/),
      expiration: expect.any(Date),
    });
    expect(operations()).toEqual([token, roles, `${roles}host`]);
    expect(await metadata().region()).toBe(REGION);
  });

  it.each<[string, Fault]>(
    [token, roles, `${roles}host`].flatMap((operation) =>
      (['cut', 'reset', 'internal-error', 'throttling', 'malformed'] as const).map(
        (fault): [string, Fault] => [operation, fault],
      ),
    ),
  )('are asked again, at %s after %s', async (operation, fault) => {
    order(operation, fault, 1);
    expect(await metadata().credentials()).toHaveProperty('accessKeyId');
  });

  it('are requested with a new token if the old one has expired', async () => {
    order(`${roles}host`, unauthorized, 1);
    await metadata().credentials();
    expect(operations().filter((operation) => operation === token).length).toBe(2);
  });

  it.each<[Fault, string, RegExp]>([
    ['cut', 'NETWORK_UNREACHABLE', /gave no whole answer \(aborted\), tried 3 times/],
    ['internal-error', 'PROVIDER_FAILED', /answered 500, tried 3 times/],
    ['throttling', 'THROTTLED', /limits the rate of calls/],
    ['malformed', 'NETWORK_UNREACHABLE', /broken or not its own/],
    ['broken', 'NETWORK_UNREACHABLE', /broken or not its own/],
    [unauthorized, 'NETWORK_UNREACHABLE', /answered 401, tried 3 times/],
    [{ error: { code: 'Odd', message: '', status: 418 } }, 'PROVIDER_FAILED', /answered 418$/],
    ['redirect', 'NETWORK_UNREACHABLE', /a redirect \(302\) to portal\.example\.test/],
    ['huge', 'NETWORK_UNREACHABLE', /more than 64000 bytes/],
  ])('that stay in trouble are called by their name: %j', async (fault, code, text) => {
    order(`${roles}host`, fault);
    const failed = metadata().credentials();
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
    await expect(failed).rejects.toThrow(`the instance metadata service at ${world.aws.metadataEndpoint} `);
  });

  it.each<[string, Partial<Instance> | undefined, RegExp]>([
    ['no instance', undefined, /is none \(404\)/],
    ['switched off', { access: 'disabled' }, /is switched off/],
    ['out of reach', { access: 'hop-limit' }, /did not answer/],
  ])('that are not there are no trouble to others: %s', async (_, more, text) => {
    world.aws.metadata.set(more && { ...instance, ...more });
    await expect(metadata().credentials()).rejects.toMatchObject({
      name: 'CredentialsProviderError',
      message: expect.stringMatching(text),
    });
    expect(await instanceRegion(options())).toBeUndefined();
  });

  it('of an instance without a role report that', async () => {
    world.aws.metadata.set({ account: ACCOUNT, region: REGION });
    await expect(metadata().credentials()).rejects.toThrow('knows no role for this instance');
  });

  it('of a role that EC2 may not assume report why', async () => {
    world.aws.iam.createRole({ arn: ROLE, trustPolicy: { Statement: [] } });
    await expect(metadata().credentials()).rejects.toThrow(/EC2 cannot assume the role host/);
  });

  it.each([
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: 'here' }, 'is not a URL'],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: '169.254.169.254:80' }, 'is not a URL'],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: 'localhost:80' }, 'is not a URL'],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: 'IPv5' }, 'is unknown: Unsupported endpoint mode: IPv5'],
  ])('of %j are a mistake in the settings', async (set, message) => {
    setEnvironment(set);
    const hint = expect.stringMatching(/^set AWS_EC2_METADATA_SERVICE_ENDPOINT to http:/);
    const expected = { code: 'INPUT_INVALID', hint, message: expect.stringContaining(message) };
    await expect(metadata().region()).rejects.toMatchObject(expected);
    await expect(metadata().credentials()).rejects.toMatchObject(expected);
  });

  it('are not requested if the user has switched them off', async () => {
    const env = { ...process.env, AWS_EC2_METADATA_DISABLED: 'true' };
    expect(await instanceRegion({ ...options(), env })).toBeUndefined();
    await expect(machineCredentials({ ...options(), env })()).rejects.toThrow(/switched off|any providers/);
    expect(operations()).toEqual([]);
  });
});

describe("the machine's credentials", () => {
  it('are requested once for several callers at the same time', async () => {
    const credentials = machineCredentials(options());
    const [one, other] = await Promise.all([credentials(), credentials()]);
    expect(one).toBe(other);
    expect(await credentials()).toBe(one);
    expect(operations().length).toBe(3);
  });

  it('that have expired are requested each time, and used', async () => {
    world.aws.metadata.set({ ...instance, roleSeconds: -60 });
    const credentials = machineCredentials(options());
    const first = await credentials();
    expect(await credentials()).not.toBe(first);
  });

  it('are missing, and the network is not at fault, where no metadata service can be reached', async () => {
    process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = 'http://127.0.0.1:9';
    const error = await machineCredentials(options())().catch((refused: unknown) => refused);
    expect(error).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') as unknown });
    const attempted = { service: 'ssm', region: REGION, resource: '/ci/key' };
    expect(awsFailure(error, attempted)).toMatchObject({ code: 'CREDENTIALS_MISSING' });
  });

  it.each([
    ...['nobody', 'no body', 'büro', 'a~b', 'job ', 'toString'],
    ...['[profile büro]', '[profile my,job]', '[profile my job]', '[my job]'],
  ])('of a profile that does not exist or cannot be read are not replaced by others: %j', async (text) => {
    const [, name = text] = /^\[(?:profile )?(.*)\]$/.exec(text) ?? [];
    useProfile(`[profile job]\n${keys}${text === name ? '' : `${text}\n${keys}`}`, name);
    const failure = await machineCredentials(options())().catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({
      message: expect.stringContaining(`there is no profile ${name} with a setting in it`) as unknown,
    });
    expect((failure as Error).message.includes('the AWS SDK reads only names of')).toBe(!/^\w+$/.test(name));
    expect(operations()).toEqual([]);
  });

  it.each([
    ['credential_process = echo said-by-it >&2; exit 3 # hunter2', /^the profile job: .*said-by-it/],
    ['role_arn = arn:aws:iam::111122223333:role/x\nsource_profile = job2', /profile/],
    [
      'credential_process = exit 3 # hunter2\n[profile other]\ncredential_source = Environment',
      /its credential_process failed/,
    ],
  ])('of a profile that fails are not replaced by others: %s', async (setting, message) => {
    useProfile(`[profile job]\n${setting}\n`);
    const failure = await machineCredentials(options())().catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ tryNextLink: false, message: expect.stringMatching(message) as unknown });
    expect(failure).not.toMatchObject({ message: expect.stringContaining('hunter2') as unknown });
    expect(operations()).toEqual([]);
  });

  it('are used with a profile that says only where: it names no others', async () => {
    useProfile('[profile job]\nregion = eu-west-1\n');
    expect(await machineCredentials(options())()).toHaveProperty('accessKeyId');
  });
});

const keys = 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n';

function useProfile(text: string, name = 'job'): void {
  const file = join(mkdtempSync(join(tmpdir(), 'profile-')), 'config');
  writeFileSync(file, text);
  Object.assign(process.env, { AWS_CONFIG_FILE: file, AWS_PROFILE: name });
}
