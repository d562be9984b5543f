/** Each code of the catalogue that the action can raise, provoked through the built action: none has only a unit test. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect } from '@jest/globals';
import { catalogue, Failure, type Code } from '../../src/errors.ts';
import { ACCOUNT, allow, REGION, ROLE_ARN, startReadyWorld, trustGitHub } from '../support/aws/world.ts';
import type { Fault, LocalAws } from '../support/aws/local-aws.ts';
import type { ReadyWorld } from '../support/aws/world.ts';
import { usualInputs } from '../support/bad-inputs/bad-input.ts';
import { createJob, type Job } from '../support/runner/job.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { actionPath, told } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

/** Told by ssm-ssh, to which the action leaves EC2 hosts. */
const ofOtherPrograms = [
  ...(['TARGET_NOT_FOUND', 'TARGET_AMBIGUOUS'] as const),
  ...(['SESSION_FAILED', 'TUNNEL_FAILED', 'INSTANCE_CONNECT_FAILED'] as const),
];
/** Told by ssm-ssh, and by the agent of keys in KMS, which the action leaves to them. */
const ofLaterSteps = ['SSH_NOT_FOUND', 'SIGNATURE_REFUSED'] as const;

type ActionCode = Exclude<Code, (typeof ofOtherPrograms | typeof ofLaterSteps)[number]>;

/** What is unusual about the job. */
interface Scenario {
  readonly given?: Readonly<Record<string, string>>;
  /** Over the environment of a job that may ask for a token. */
  readonly more?: Readonly<Record<string, string>>;
  /** In place of that environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly actionPath?: string;
}

const folder = mkdtempSync(join(tmpdir(), 'codes-'));
const [key, locked] = await Promise.all([makeSshKey(), makeSshKey({ passphrase: 'correct horse' })]);

const alone = { 'role-to-assume': '' };
const kmsKey = ({ aws }: ReadyWorld): string => aws.kms.createKey({ account: ACCOUNT, region: REGION });
const credentials = (aws: LocalAws, durationSeconds: number): Scenario => ({
  given: alone,
  env: aws.environment({ credentials: aws.iam.createSession({ roleArn: ROLE_ARN, durationSeconds }) }),
});

function stored({ put }: ReadyWorld, value: string, keyId?: string): Scenario {
  put('/ci/key', value, keyId === undefined ? {} : { keyId });
  return {};
}

function trouble({ aws }: ReadyWorld, fault: Fault): Scenario {
  aws.faults.order({ operation: 'ssm:GetParameter', fault });
  // A busy machine takes its time: what does not hang is waited for.
  return { given: { 'max-attempts': '1', ...(fault === 'hang' && { 'timeout-seconds': '3' }) } };
}

/** A folder in which the named programs do nothing but fail. */
function programs(...names: string[]): string {
  const bin = mkdtempSync(join(folder, 'bin-'));
  for (const name of names) writeFileSync(join(bin, name), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  return bin;
}

/** As a checkout is that lost a file of the action. */
function withoutHelper(): string {
  const copy = mkdtempSync(join(folder, 'action-'));
  for (const name of ['action.yml', 'dist']) {
    cpSync(join(actionPath, name), join(copy, name), { recursive: true });
  }
  return copy;
}

const arrange: Record<ActionCode, (world: ReadyWorld) => Scenario> = {
  INPUT_INVALID: () => ({ given: { keys: 'ci/key' } }),
  REGION_MISSING: () => ({ given: { 'aws-region': '' } }),
  OIDC_UNAVAILABLE: ({ aws }) => ({ env: aws.environment() }),
  OIDC_REQUEST_FAILED: () => ({ more: { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'expired' } }),
  ASSUME_ROLE_DENIED: ({ aws }) => {
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub('repo:acme/another:*') });
    return {};
  },
  ACCOUNT_NOT_ALLOWED: () => ({ given: { 'allowed-account-ids': '444455556666' } }),
  CREDENTIALS_MISSING: ({ aws }) => ({ given: alone, env: aws.environment() }),
  CREDENTIALS_EXPIRED: ({ aws }) => credentials(aws, -60),
  KEY_NOT_FOUND: () => ({ given: { keys: '/ci/nobody' } }),
  KEY_VERSION_NOT_FOUND: () => ({ given: { keys: '/ci/key:9' } }),
  KEY_ACCESS_DENIED: () => ({ given: { keys: '/another/key' } }),
  KMS_ACCESS_DENIED: (world) => stored(world, key.privateKey, kmsKey(world)),
  KMS_KEY_UNUSABLE: (world) => {
    const keyId = kmsKey(world);
    const policies = [allow(['ssm:GetParameter', 'kms:Decrypt'], '*')];
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
    stored(world, key.privateKey, keyId);
    world.aws.kms.setState(keyId, 'Disabled');
    return {};
  },
  KEY_NOT_DECRYPTED: (world) => stored(world, `AQICAHh${'a'.repeat(400)}`),
  KEY_FIELD_MISSING: ({ putSecret }) => {
    putSecret('ci/deploy', '{"key":""}');
    return { given: { keys: 'secretsmanager:ci/deploy:private_key' } };
  },
  KEY_EMPTY: (world) => stored(world, ' \n'),
  KEY_NOT_PRIVATE: (world) => stored(world, key.publicKey),
  KEY_MALFORMED: (world) => stored(world, key.privateKey.slice(0, 200)),
  KEY_UNSUPPORTED: (world) => stored(world, 'PuTTY-User-Key-File-3: ssh-ed25519\r\n'),
  KEY_ENCRYPTED: (world) => stored(world, locked.privateKey),
  PASSPHRASE_WRONG: (world) => {
    world.put('/ci/passphrase', 'battery staple');
    return { ...stored(world, locked.privateKey), given: { keys: '/ci/key passphrase=/ci/passphrase' } };
  },
  AGENT_NOT_FOUND: () => ({ more: { PATH: programs() } }),
  AGENT_FAILED: () => ({ more: { PATH: `${programs('ssh-agent')}:${process.env['PATH'] ?? ''}` } }),
  GIT_NOT_FOUND: () => ({ given: { 'git-signing': 'true' }, more: { PATH: programs() } }),
  STATE_UNSAFE: () => ({ more: { RUNNER_TEMP: '/nowhere/at/all' } }),
  KNOWN_HOSTS_INVALID: () => ({ given: { 'known-hosts': 'git.example.com' } }),
  THROTTLED: (world) => trouble(world, 'throttling'),
  NETWORK_UNREACHABLE: (world) => trouble(world, 'reset'),
  TIMEOUT: (world) => trouble(world, 'hang'),
  PROVIDER_FAILED: (world) => trouble(world, 'internal-error'),
  CREDENTIAL_INVALID: (world) => ({
    ...stored(world, 'ghp_0123456789abcdefghij'),
    given: { keys: '/ci/key as=github-app github.com/acme/lib' },
  }),
  INTERNAL: () => ({ actionPath: withoutHelper() }),
};

let world: ReadyWorld;
let job: Job | undefined;

beforeEach(async () => {
  world = await startReadyWorld();
  world.put('/ci/key', key.privateKey);
});
afterEach(async () => {
  job?.dispose();
  await world.stop();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the code', () => {
  it.each(Object.keys(arrange) as ActionCode[])(
    '%s comes with a hint, and leaves nothing behind',
    async (code) => {
      const { given, more, env = world.jobEnvironment(), ...place } = arrange[code](world);
      job = createJob({ actionPath, ...place, env: { ...env, ...more } });
      const main = await job.uses({ with: { ...usualInputs, ...given } });
      const [what, hint, ...rest] = told(main).text.split('\n');
      expect([told(main).code, rest]).toEqual([code, []]);
      expect(what).toMatch(new RegExp(`^ssm-ssh-agent: ${code}: \\S`));
      expect(hint).toMatch(/^hint: \S/);
      expect(main.exitCode).toBe(new Failure(code, '', { hint: '' }).exitCode);
      expect([main.outputs, main.env, main.paths, main.summary]).toEqual([{}, {}, [], '']);
      expect([job.processes(), job.files()]).toEqual([[], []]);
      const { posts } = await job.finish();
      expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
    },
  );

  it('SSH_NOT_FOUND is told by ssm-ssh where a later step has no OpenSSH', async () => {
    job = createJob({ actionPath, env: world.jobEnvironment() });
    expect(told(await job.uses({ with: usualInputs })).text).toBe('');
    // One pipe: the runner reads a step's two outputs in no order.
    const connect = `PATH=${programs()} "$GIT_SSH_COMMAND" git@github.com || echo "exit $?"`;
    const { log } = await job.run(`exec 2>&1\n${connect}`);
    expect(log).toMatch(/^ssm-ssh: SSH_NOT_FOUND: \S.*\nhint: \S.*\nexit 255\n$/);
    const { leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  it('is one of these, or of another program and nowhere in what the action runs', () => {
    const here = [...Object.keys(arrange), ...ofLaterSteps];
    expect([...here, ...ofOtherPrograms].sort()).toEqual(Object.keys(catalogue).sort());
    const root = join(actionPath, 'src');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && file !== 'errors.ts' && !file.startsWith('ec2/'),
    );
    const text = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
    expect(ofOtherPrograms.filter((code) => text.includes(`'${code}'`))).toEqual([]);
  });
});
