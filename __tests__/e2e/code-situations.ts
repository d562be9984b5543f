/** Each code of the catalogue that the action can raise, with a situation in which it does. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Code } from '../../src/errors.ts';
import type { Fault, LocalAws } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, ROLE_ARN, trustGitHub, type ReadyWorld } from '../support/aws/world.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { actionPath } from './stage.ts';

/** Told by ssm-ssh, to which the action leaves EC2 hosts. */
export const ofOtherPrograms = [
  ...(['TARGET_NOT_FOUND', 'TARGET_AMBIGUOUS'] as const),
  ...(['SESSION_FAILED', 'TUNNEL_FAILED', 'INSTANCE_CONNECT_FAILED'] as const),
];
/** Told by ssm-ssh, and by the agent of keys in KMS, which the action leaves to them. */
export const ofLaterSteps = ['SSH_NOT_FOUND', 'SIGNATURE_REFUSED'] as const;

export type ActionCode = Exclude<Code, (typeof ofOtherPrograms | typeof ofLaterSteps)[number]>;

/** What is unusual about the job. */
export interface Scenario {
  readonly given?: Readonly<Record<string, string>>;
  /** Over the environment of a job that may ask for a token. */
  readonly more?: Readonly<Record<string, string>>;
  /** In place of that environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly actionPath?: string;
}

/** Of the stored key that is encrypted. */
export const passphrase = 'correct horse';

const folder = mkdtempSync(join(tmpdir(), 'codes-'));
export const [key, locked] = await Promise.all([makeSshKey(), makeSshKey({ passphrase })]);

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
export function programs(...names: string[]): string {
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

export const situations: Record<ActionCode, (world: ReadyWorld) => Scenario> = {
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

/** After the last test. */
export function removeSituations(): void {
  rmSync(folder, { recursive: true });
}
