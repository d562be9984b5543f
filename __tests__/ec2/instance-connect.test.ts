/** A key for 60 seconds: created in memory, pushed with the real SDK, accepted by a real sshd. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { makeKeyPair, pushKey } from '../../src/ec2/instance-connect.ts';
import { Failure } from '../../src/errors.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { authorizedKeysLine, fingerprint } from '../../src/keys/public-key.ts';
import type { PolicyDocument, Statement } from '../support/aws/local-aws.ts';
import { REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startEc2Instance, type Ec2Instance } from '../support/ec2-instance.ts';
import { fingerprintOfLine, publicHalf, signAndCheck, typeAndBlob } from '../support/keygen.ts';
import { callerOf, failureOf, instanceArn, statementIn, usual } from './ec2-stage.ts';
import { describeWith } from '../support/needs.ts';

const lifetime = 8;
const id = 'i-0123456789abcdef0';
const user = 'ec2-user';
const action = 'ec2-instance-connect:SendSSHPublicKey';
let world: ReadyWorld;
const key = makeKeyPair('ssm-ssh');

beforeAll(async () => {
  world = await startReadyWorld({ pushedKeySeconds: lifetime });
  process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
});
afterAll(() => world.stop());
beforeEach(() => {
  world.aws.ec2.clear();
  world.aws.faults.clear();
  world.aws.forgetCalls();
});

const push = (policies: readonly PolicyDocument[] = usual, as = user): Promise<void> =>
  pushKey({ instanceId: id, user: as, publicKey: key.publicKey }, callerOf(world.aws, policies), () => 1);

describe('a key pair', () => {
  it('is accepted by OpenSSH', () => {
    const made = makeKeyPair('for i-0');
    const { publicKey } = made;
    const text = writeOpensshKey(made);
    const line = authorizedKeysLine(publicKey);
    expect(line).toMatch(/^ssh-ed25519 \S+ for i-0$/);
    expect(publicHalf(text)).toBe(typeAndBlob(line));
    expect(fingerprint(publicKey)).toBe(fingerprintOfLine(line));
    expect(signAndCheck(text)).toContain('Good "test" signature');
  });

  it('is different each time', () => {
    expect(makeKeyPair('').publicKey).not.toEqual(makeKeyPair('').publicKey);
  });
});

describe('pushing a key', () => {
  it('gives the instance the public key, for that user', async () => {
    world.aws.ec2.launch({ instanceId: id });
    await push();
    const publicKey = authorizedKeysLine(key.publicKey);
    expect(world.aws.pushedKeys.of(id)).toEqual([{ instanceId: id, user, publicKey }]);
    expect(world.aws.calls).toMatchObject([{ operation: action, region: REGION }]);
    expect(JSON.stringify(world.aws.calls)).not.toContain('PRIVATE KEY');
  });

  it('needs permission for only one instance and one user', async () => {
    world.aws.ec2.launch({ instanceId: id });
    const statement: Statement = {
      ...({ Effect: 'Allow', Action: action, Resource: instanceArn(id) } as const),
      Condition: { StringEquals: { 'ec2:osuser': user } },
    };
    const narrow: PolicyDocument[] = [{ Version: '2012-10-17', Statement: [statement] }];
    await push(narrow);
    const failure = await failureOf(push(narrow, 'root'));
    expect(failure.code).toBe('INSTANCE_CONNECT_FAILED');
    expect(failure.message).toContain(
      `EC2 Instance Connect did not accept a key for root on ${id} in ${REGION}`,
    );
    expect(statementIn(failure.hint)).toEqual({
      ...statement,
      Condition: { StringEquals: { 'ec2:osuser': 'root' } },
    });
  });

  it('succeeds for many keys at the same time', async () => {
    world.aws.ec2.launch({ instanceId: id });
    world.aws.faults.order({ operation: action, fault: 'throttling', times: 5 });
    await push();
    expect(world.aws.calls).toHaveLength(6);
  });

  it('is THROTTLED after the last try', async () => {
    world.aws.faults.order({ operation: action, fault: 'throttling' });
    const failure = await failureOf(push());
    expect(failure).toMatchObject({
      code: 'THROTTLED',
      hint: expect.not.stringContaining('Parameter') as unknown,
    });
    expect(failure.message).toContain(`while pushing a key for ${user} on ${id}`);
    expect(world.aws.calls).toHaveLength(6);
  });

  it('to a missing instance is TARGET_NOT_FOUND', async () => {
    expect(await failureOf(push())).toMatchObject({
      code: 'TARGET_NOT_FOUND',
      message: `there is no instance ${id} in ${REGION}`,
    });
  });

  it('to a stopped instance says how to start it', async () => {
    world.aws.ec2.launch({ instanceId: id, state: 'stopped' });
    const failure = await failureOf(push());
    expect(failure).toMatchObject({ code: 'TARGET_NOT_FOUND' });
    expect(failure.message).toBe(`the instance ${id} in ${REGION} is stopped`);
    expect(failure.hint).toContain(`aws ec2 start-instances --region ${REGION} --instance-ids ${id}`);
  });

  it('for an invalid login name is refused', async () => {
    world.aws.ec2.launch({ instanceId: id });
    const failure = await failureOf(push(usual, 'no user'));
    expect(failure).toMatchObject({ code: 'INSTANCE_CONNECT_FAILED' });
    expect(failure.hint).toContain('check the login name no user');
  });

  it.each([
    ['AuthException', 'INSTANCE_CONNECT_FAILED', `"ec2:osuser":"${user}"`],
    ['EC2InstanceStateInvalidException', 'TARGET_NOT_FOUND', 'start-instances'],
    ['EC2InstanceUnavailableException', 'INSTANCE_CONNECT_FAILED', 'wait a few minutes'],
    ['EC2InstanceTypeInvalidException', 'INSTANCE_CONNECT_FAILED', 'set a key for it'],
    ['ServiceException', 'PROVIDER_FAILED', 'run it again'],
    ['ExpiredTokenException', 'CREDENTIALS_EXPIRED', 'new credentials'],
  ])('answered with %s is %s', async (name, code, hint) => {
    world.aws.faults.order({ operation: action, fault: { error: { code: name, message: 'AWS says no.' } } });
    const failure = await failureOf(push());
    expect(failure).toMatchObject({ code });
    expect(failure.hint).toContain(hint);
    expect(`${failure.message}\n${failure.hint}`).toContain(
      code.startsWith('CRED') ? 'expired' : user.slice(0, 3),
    );
  });

  it('stops when its signal is aborted, also between two tries', async () => {
    world.aws.faults.order({ operation: action, fault: 'throttling' });
    const stop = new AbortController();
    const reason = new Failure('TIMEOUT', 'too late', { hint: '' });
    const caller = callerOf(world.aws, usual, { signal: stop.signal });
    const work = pushKey({ instanceId: id, user, publicKey: key.publicKey }, caller, () => 5_000);
    setTimeout(() => {
      stop.abort(reason);
    }, 50);
    expect(await failureOf(work)).toBe(reason);
  });
});

describeWith('sshd')('an instance', () => {
  const folder = mkdtempSync(join(tmpdir(), 'instance-connect-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** The output of a shell command on the instance; undefined if ssh is refused. */
  async function login(
    { port, hostKey }: Ec2Instance,
    own: PrivateKey,
    as: string,
  ): Promise<string | undefined> {
    const [identity, known] = [join(folder, 'key'), join(folder, 'known')];
    writeFileSync(identity, writeOpensshKey(own), { mode: 0o600 });
    writeFileSync(known, `[127.0.0.1]:${port} ${hostKey.publicKey}\n`);
    const options = [
      `UserKnownHostsFile=${known}`,
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      'BatchMode=yes',
    ];
    const args = ['-F', 'none', '-i', identity, '-p', String(port), ...options.flatMap((one) => ['-o', one])];
    return await new Promise((resolve) => {
      execFile('ssh', [...args, `${as}@127.0.0.1`, 'echo in'], (error, stdout) => {
        resolve(error ? undefined : stdout.trim());
      });
    });
  }
  const pushFor = (instance: Ec2Instance, as: string): Promise<void> =>
    pushKey({ instanceId: instance.instanceId, user: as, publicKey: key.publicKey }, callerOf(world.aws));

  it('accepts the key for its lifetime, and only for that user', async () => {
    const instance = await startEc2Instance(world.aws);
    try {
      expect(await login(instance, key, instance.user)).toBeUndefined();
      await pushFor(instance, 'somebody');
      expect(await login(instance, key, instance.user)).toBeUndefined();
      await pushFor(instance, instance.user);
      expect(await login(instance, key, instance.user)).toBe('in');
      await sleep(lifetime * 1000);
      expect(await login(instance, key, instance.user)).toBeUndefined();
    } finally {
      await instance.stop();
    }
  });

  it('without the package does not ask for pushed keys', async () => {
    const instance = await startEc2Instance(world.aws, { instanceConnect: false });
    try {
      await pushFor(instance, instance.user);
      expect(await login(instance, key, instance.user)).toBeUndefined();
      expect(instance.journal()).toContain('Connection from 127.0.0.1');
    } finally {
      await instance.stop();
    }
  });
});
