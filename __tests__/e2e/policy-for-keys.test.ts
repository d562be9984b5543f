/** `policy --for write` and `--for rotate`: the output is enough for keygen, put and rotate, and each statement is needed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { writer } from './key-writer.ts';
import { KmsRotating, kmsName, place } from './kms-rotating.ts';
import { lesserPolicies } from './lesser-policies.ts';
import { RotateStage } from './rotate-stage.ts';

const stage = new RotateStage();
let keyId: string;

beforeEach(async () => {
  await stage.open();
  await stage.start();
  keyId = stage.host.world.aws.kms.createKey({ account: ACCOUNT, region: REGION });
});
afterEach(async () => {
  expect(stage.host.leftovers()).toEqual([]);
  await stage.stop();
});

async function policyOf(...args: string[]): Promise<PolicyDocument> {
  const looking = [allow(['ssm:DescribeParameters', 'secretsmanager:DescribeSecret'], '*')];
  const ended = await stage.host.agent(['policy', ...args], { env: writer(stage.host, looking) });
  expect([
    ended.exitCode,
    ended.stderr.replace(/^.*warning: the KMS key of .* is not known.*\n$/, ''),
  ]).toEqual([0, '']);
  return parsePolicy(ended.stdout, 'permission');
}

const denied = /_ACCESS_DENIED|is denied/;
const refusal = expect.stringMatching(/^exit 1, .*(_ACCESS_DENIED|is denied)/s);

/** @returns the first command that failed, or was denied a call; empty: all have worked */
async function failing(documents: readonly PolicyDocument[], commands: readonly string[][]): Promise<string> {
  const { aws } = stage.host.world;
  const env = writer(stage.host, documents);
  for (const command of commands) {
    aws.forgetCalls();
    const { exitCode, stderr } = await stage.host.agent(command, { env });
    const denied = aws.calls.filter(({ errorCode }) => /AccessDenied|InvalidKeyId/.test(errorCode ?? ''));
    if (exitCode !== 0 || denied.length > 0)
      return `exit ${exitCode}, ${denied.length > 0 ? 'after a refusal' : ''}: ${command.join(' ')}: ${stderr}`;
  }
  return '';
}

describeInTurn(describe)('policy --for write', () => {
  beforeEach(async () => {
    writeFileSync(join(stage.host.folder, 'key.pem'), (await makeSshKey()).privateKey, { mode: 0o600 });
  });

  it.each([
    ['a parameter', '/ci/made'],
    ['a secret', 'secretsmanager:ci/made'],
    ['a member of a secret', 'secretsmanager:ci/made:key'],
  ])('is enough to make and store %s, and needs each statement', async (_, name) => {
    const replacing = [
      ['keygen', name, '--overwrite'],
      ['put', name, 'key.pem', '--overwrite'],
      ['keygen', name, '--overwrite', '--tag', 'team=ci'],
      // A larger value is encrypted by a data key.
      ...(name.startsWith('/') ? [['keygen', name, '--overwrite', '--tier', 'advanced']] : []),
    ];
    const making = ['keygen', name, '--kms-key-id', keyId, '--tag', 'team=ci'];
    const unborn = await policyOf(name, '--for', 'write', '--kms-key-id', keyId);
    expect(await failing([unborn], [making, ...replacing])).toBe('');
    const { parameters } = stage.host.world.aws;
    const { versions = [] } = parameters.find({ account: ACCOUNT, region: REGION }, '/ci/made') ?? {};
    expect(versions.every(({ keyArn }) => keyArn === keyId)).toBe(true);

    // Now the key is there, and is looked up.
    const policy = await policyOf(name, '--for', 'write');
    expect(await failing([policy], replacing)).toBe('');
    const { put, putSecret } = stage.host.world;
    for (const [left, document] of lesserPolicies(policy)) {
      if (name.startsWith('/')) put(name, stage.old.privateKey, { keyId });
      else putSecret('ci/made', '{"user": "deploy"}', { keyId });
      expect([left, await failing([document], replacing)]).toEqual([left, refusal]);
    }
  });

  it('is enough to store a key under a name that is not there yet', async () => {
    for (const name of ['/ci/stored', 'secretsmanager:ci/stored', 'secretsmanager:ci/other:key']) {
      const policy = await policyOf(name, '--for', 'write');
      expect(await failing([policy], [['put', name, 'key.pem', '--kms-key-id', keyId]])).toBe('');
    }
  });

  it('does not let its holder read the key', async () => {
    const { put } = stage.host.world;
    put('/ci/stored', stage.old.privateKey, { keyId });
    const policy = await policyOf('/ci/stored', '--for', 'write');
    expect(await failing([policy], [['public', '/ci/stored']])).toMatch(denied);
  });
});

describeInTurn(describe)('policy --for rotate', () => {
  beforeEach(() => {
    const { put, putSecret } = stage.host.world;
    put('/ci/rotated', stage.old.privateKey, { keyId });
    putSecret('ci/rotated', JSON.stringify({ user: 'deploy', key: stage.old.privateKey }), { keyId });
  });

  it.each([
    ['a parameter', '/ci/rotated'],
    ['a member of a secret', 'secretsmanager:ci/rotated:key'],
  ])(
    'is, with one for the token, enough to rotate %s, and needs each statement',
    async (_, name) => {
      const rotate = (...more: string[]): string[] => ['rotate', name, ...stage.options, ...more];
      const whole = [rotate(), rotate('--finish'), rotate(), rotate('--abort')];
      const token = await policyOf('/rotate/github-token');
      const policy = await policyOf(name, '--for', 'rotate');
      expect(await failing([policy, token], whole)).toBe('');
      for (const [left, document] of lesserPolicies(policy)) {
        expect([left, await failing([document, token], whole)]).toEqual([left, refusal]);
        expect(await failing([policy, token], [rotate('--abort')])).toBe('');
      }
    },
    150_000,
  );

  it('is enough to rotate a key in KMS, also after a run that was killed, and needs each statement', async () => {
    const rotate = (...more: string[]): string[] => ['rotate', kmsName, ...stage.options, ...more];
    const whole = [rotate(), rotate('--finish'), rotate(), rotate('--abort')];
    const token = await policyOf('/rotate/github-token');
    const policy = await policyOf(kmsName, '--for', 'rotate');
    const key = new KmsRotating(stage);
    expect(await failing([policy, token], whole)).toBe('');
    for (const [left, document] of lesserPolicies(policy)) {
      expect([left, await failing([document, token], whole)]).toEqual([left, refusal]);
      // --finish has removed the old public key before it deletes the old key.
      const isBack = (await failing([policy, token], [rotate('--abort')])) === '';
      if (!isBack) expect(await failing([policy, token], [rotate('--finish')])).toBe('');
    }
    key.signingKeys.setAlias(place, 'alias/deploy/next', key.keyOf('served')?.arn ?? '');
    const tags = { 'ssm-ssh-agent:rotation': 'alias/deploy' };
    const unnamed = key.signingKeys.create({ ...place, tags });
    expect(await failing([policy, token], [rotate()])).toBe('');
    expect(key.keyOf('served')?.arn).toBe(unnamed);
  }, 300_000);

  it('is alone enough to rotate by hand', async () => {
    const name = '/ci/rotated';
    const policy = await policyOf(name, '--for', 'rotate');
    expect(await failing([policy], [['rotate', name]])).toBe('');
    const key = stage.publicKey(`${name}.next`) ?? '';
    stage.keys.add({ repository: 'acme/lib', title: 'new', key, readOnly: false });
    const rest = [['--registered'], ['--finish']].map((how) => ['rotate', name, ...how, ...stage.testing]);
    expect(await failing([policy], rest)).toBe('');
    expect(stage.publicKey(name)).toBe(key);
  });
});
