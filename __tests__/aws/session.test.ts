/** Sessions of roles, if STS does not give them at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openConnection } from '../../src/aws/connection.ts';
import { patienceOf } from '../../src/aws/patience.ts';
import { openSessions } from '../../src/aws/session.ts';
import type { Caller, Role } from '../../src/aws/caller.ts';
import { Failure } from '../../src/errors.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const operation = 'sts:AssumeRoleWithWebIdentity';
const role: Role = {
  ...{ arn: ROLE_ARN, through: [], sessionName: 'acme-app', durationSeconds: 900 },
  ...{ audience: 'sts.amazonaws.com', externalId: undefined, policy: 'auto' },
};

describe('a session of a role', () => {
  let world: ReadyWorld;
  let before: string | undefined;
  let said: string[];
  let slept: number[];
  let debugged: string[];

  beforeAll(async () => {
    world = await startReadyWorld();
    before = process.env['AWS_ENDPOINT_URL'];
    process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
    // Without a token the SDK looks for credentials, and asks no machine for them.
    process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  });
  afterAll(async () => {
    if (before === undefined) Reflect.deleteProperty(process.env, 'AWS_ENDPOINT_URL');
    else process.env['AWS_ENDPOINT_URL'] = before;
    await world.stop();
  });
  beforeEach(() => {
    world.aws.faults.clear();
    world.aws.forgetCalls();
    [said, slept, debugged] = [[], [], []];
  });

  const open = async (
    more: Partial<Role> = {},
    env: Readonly<Record<string, string>> = world.jobEnvironment(),
    maxAttempts = 5,
  ): Promise<string> => {
    const caller: Caller = {
      ...{ env, regions: [REGION], share: 10_000, signal: new AbortController().signal },
      connection: openConnection({ env, maxAttempts, debug: (line) => debugged.push(line) }),
      sleep: async (milliseconds) => {
        slept.push(milliseconds);
        await Promise.resolve();
      },
      say: (line) => said.push(line),
      mask: () => undefined,
      warn: () => undefined,
    };
    try {
      await openSessions([parseReference('/ci/key')], { ...role, ...more }, caller);
      return 'opened';
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return `${error.code}: ${error.message}\n${error.hint}`;
    }
  };
  const order = (code: string, message: string, times = 100): void => {
    world.aws.faults.order({ operation, fault: { error: { code, message } }, times });
  };
  const keys =
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

  it('waits until STS has the keys of the issuer', async () => {
    order('InvalidIdentityToken', keys, 4);
    expect(await open()).toBe('opened');
    expect(slept).toEqual([1000, 2000, 4000, 8000]);
    expect(said.join('\n')).toContain(
      "AWS STS did not get the keys of the token's issuer, asking again in 1 s",
    );
    const call = `^${operation} at 127\\.0\\.0\\.1`;
    expect(debugged[1]).toMatch(new RegExp(`${call}: 400, request id \\S+ \\(\\d{1,5} ms\\)$`));
  });

  it('does not wait for ever, and does not ask for an identity provider that exists', async () => {
    order('InvalidIdentityToken', keys);
    const told = await open();
    expect(told).toMatch(/^ASSUME_ROLE_DENIED: .*verification key.*\nrun the job again/);
    expect(told).not.toContain('create-open-id-connect-provider');
    expect(slept.length).toBe(4);
  });

  it.each([
    ['InvalidIdentityToken', keys],
    ['AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'],
  ])('is asked for no more often than is allowed (%s)', async (code, message) => {
    for (const maxAttempts of [1, 2]) {
      slept.length = 0;
      order(code, message, maxAttempts);
      expect(await open({}, world.jobEnvironment(), maxAttempts)).toMatch(/^ASSUME_ROLE_DENIED: /);
      expect(slept).toEqual([1000].slice(0, maxAttempts - 1));
    }
  });

  it('with an expired token names the clock of the server that made it', async () => {
    order('ExpiredTokenException', 'Token expired: current date/time 1 must be before 0');
    expect(await open()).toMatch(
      /^ASSUME_ROLE_DENIED: .*Token expired.*\n.*clock of the server that makes it \(https:\/\/token\.actions/,
    );
  });

  const next = `${ROLE_ARN}-next`;
  it.each([
    ['a role alone', { arn: next }, `${next}: `],
    ['the first role of a chain', { arn: ROLE_ARN, through: [next] }, `${next} (role 1 of 2): `],
    ['the last role of a chain', { arn: next, through: [ROLE_ARN] }, `${next} (role 2 of 2): `],
  ])('that is refused at %s says where', async (_, more, where) => {
    expect(await open(more)).toContain(`ASSUME_ROLE_DENIED: AWS STS did not give the role ${where}`);
  });

  it.each([
    ['the role', [], ROLE_ARN],
    ['the first role of a chain', [next], next],
  ])('without a token says that it asks for %s, and with what', async (_, through, asked) => {
    await open({ through }, { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' });
    expect(said[0]).toBe(
      `no OIDC token in this job: asking for ${asked} with the credentials of AWS_ACCESS_KEY_ID`,
    );
  });

  it.each(['MalformedPolicyDocument', 'PackedPolicyTooLarge'])(
    "%s of the user's own policy names the input session-policy",
    async (code) => {
      order(code, 'policy trouble');
      const told = await open({ policy: { json: '{"Statement":[]}' } });
      expect(told).toMatch(/^INPUT_INVALID: the input session-policy is .*policy trouble\n/);
    },
  );

  it.each(['MalformedPolicyDocument', 'PackedPolicyTooLarge'])(
    '%s of our own policy says that session-policy: auto made it',
    async (code) => {
      order(code, 'policy trouble');
      expect(await open()).toMatch(
        /^ASSUME_ROLE_DENIED: .*policy trouble \(the session policy that session-policy: auto made\)\n.*session-policy: none/,
      );
    },
  );
});

describe('a try of a call', () => {
  it.each([
    [120, 5, 1, 10_000],
    [30, 3, 1, 7_500],
    [10, 5, 1, 2_500],
    [10, 5, 2, 1_667],
    [5, 5, 1, 1_500],
    [1, 5, 1, 1_000],
    [30, 1, 1, 10_000],
    [3, 1, 1, 3_000],
  ])('in %d seconds, %d tries and %d regions has %d milliseconds', (...[seconds, tries, count, expected]) => {
    const regions = Array.from({ length: count }, () => REGION);
    const patience = patienceOf({ timeoutSeconds: seconds, maxAttempts: tries, regions });
    expect(Math.round(patience)).toBe(expected);
  });
});
