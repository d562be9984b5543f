/** Stores git credentials with the real SDK, and checks the calls and errors of Parameter Store. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { erase, getStored, store, type CredentialStorage } from '../../../helper/credential/store.ts';
import { openConnection } from '../../../src/aws/connection.ts';
import { Failure } from '../../../src/errors.ts';
import type { Credential, Request } from '../../../src/git/credential.ts';
import { ParameterFolder, type FolderOptions } from '../../../src/secrets/parameter-folder.ts';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';

const arn = (path: string): string => `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/${path}`;
const actions = ['ssm:GetParametersByPath', 'ssm:PutParameter', 'ssm:DeleteParameter'];
const now = 1_800_000_000;
const asked = (more: Credential & Partial<Request> = {}): Request => ({
  ...{ capability: [], wwwauth: [], state: [], protocol: 'https', host: 'git.example.com', ...more },
});
const octocat = { username: 'octocat', password: 'a token' };

let world: ReadyWorld;
let prefix: string;
let count = 0;

beforeAll(async () => {
  world = await startReadyWorld();
  process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
});
afterAll(() => world.stop());
beforeEach(() => {
  count += 1;
  prefix = `/store-${count}`;
  world.aws.forgetCalls();
});

function storage(more: Partial<FolderOptions> = {}, ...policies: PolicyDocument[]): CredentialStorage {
  const userArn = `arn:aws:iam::${ACCOUNT}:user/writer`;
  const usual = [allow(actions, arn('store-*'))];
  const key = world.aws.iam.createAccessKey({ userArn, policies: policies.length > 0 ? policies : usual });
  const folder = new ParameterFolder({
    connection: openConnection({ env: {}, maxAttempts: 3 }),
    credentials: { sessionToken: '', ...key },
    region: REGION,
    signal: new AbortController().signal,
    sleep: () => sleep(0),
    explain: (failure) => failure,
    ...more,
  });
  return { prefix, use: (work) => work(folder), nowSeconds: now };
}

const calls = (): string[] =>
  world.aws.calls.map(({ operation, errorCode }) =>
    [operation.slice(4), errorCode].filter(Boolean).join(' '),
  );
const failureOf = async (work: Promise<unknown>): Promise<Failure> => {
  const outcome = await work.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error('no Failure was thrown', { cause: outcome });
};

describe('storing a credential', () => {
  it('writes one SecureString, and nothing if it already exists', async () => {
    await store(asked(octocat), storage());
    await store(asked(octocat), storage());
    await store(asked({ ...octocat, host: 'GIT.example.com:443' }), storage());
    expect(calls()).toEqual([
      'GetParametersByPath',
      'PutParameter',
      ...Array<string>(2).fill('GetParametersByPath'),
    ]);
    const stored = world.aws.parameters.find(
      { account: ACCOUNT, region: REGION },
      `${prefix}/https/git.example.com/octocat/_`,
    );
    expect(stored?.versions).toMatchObject([{ version: 1, type: 'SecureString', tier: 'Standard' }]);
    expect(await getStored(asked(), storage())).toEqual(octocat);
  });

  it('overwrites the one of the same host, path and user name', async () => {
    await store(asked(octocat), storage());
    await store(asked({ ...octocat, password: 'newer', oauth_refresh_token: 'r' }), storage());
    expect(await getStored(asked(), storage())).toEqual({
      ...octocat,
      password: 'newer',
      oauth_refresh_token: 'r',
    });
  });

  it('keeps what another git stored with the same password', async () => {
    const whole = { ...octocat, password_expiry_utc: String(now + 60), oauth_refresh_token: 'r' };
    await store(asked(whole), storage());
    await store(asked(octocat), storage());
    await store(asked({ ...octocat, password_expiry_utc: String(now + 60) }), storage());
    expect(calls().filter((call) => call === 'PutParameter')).toHaveLength(1);
    expect(await getStored(asked(), storage())).toEqual(whole);
  });

  it('writes a password again that was said to be over, and still works', async () => {
    const over = { ...octocat, password_expiry_utc: String(now - 60) };
    world.put(`${prefix}/https/git.example.com/octocat/_`, JSON.stringify({ ...asked(), ...over }));
    expect(await getStored(asked(), storage())).toBeUndefined();
    await store(asked(octocat), storage());
    expect(await getStored(asked(), storage())).toEqual(octocat);
  });

  it.each<[string, Credential]>([
    ['another password', { password: 'newer' }],
    ['another expiry', { password_expiry_utc: String(now + 90) }],
    ['another refresh token', { oauth_refresh_token: 's' }],
    ['one more attribute', { authtype: 'Bearer', credential: 'c' }],
  ])('writes it again with %s', async (_, more) => {
    await store(
      asked({ ...octocat, password_expiry_utc: String(now + 60), oauth_refresh_token: 'r' }),
      storage(),
    );
    await store(asked({ ...octocat, ...more }), storage());
    expect(await getStored(asked({ capability: ['authtype'] }), storage())).toEqual({ ...octocat, ...more });
  });

  it('overwrites a value that is no credential', async () => {
    world.put(`${prefix}/https/git.example.com/octocat/_`, 'ghp_0123456789');
    await store(asked(octocat), storage());
    expect(await getStored(asked(), storage())).toEqual(octocat);
  });

  it('encrypts with the configured key', async () => {
    const kmsKeyId = world.aws.kms.createKey({
      account: ACCOUNT,
      region: REGION,
      alias: `alias/git-${count}`,
    });
    const told = await failureOf(store(asked(octocat), storage({ kmsKeyId })));
    expect(told.code).toBe('KMS_ACCESS_DENIED');
    expect(told.message).toContain('encrypting the parameter');
    expect(told.hint).toContain(`"Action":"kms:Encrypt"`);
    const keyed = storage(
      { kmsKeyId },
      allow(actions, arn('store-*')),
      allow(['kms:Encrypt', 'kms:Decrypt'], kmsKeyId),
    );
    await store(asked(octocat), keyed);
    expect(await getStored(asked(), keyed)).toEqual(octocat);
    const stored = world.aws.parameters.find(
      { account: ACCOUNT, region: REGION },
      `${prefix}/https/git.example.com/octocat/_`,
    );
    expect(stored?.versions.at(-1)?.keyArn).toBe(kmsKeyId);
  });

  it('uses the advanced tier above 4 KB, and refuses values above the limit', async () => {
    const large = { ...octocat, password: 'x'.repeat(5000) };
    await store(asked(large), storage());
    expect(await getStored(asked(), storage())).toEqual(large);
    const told = await failureOf(store(asked({ ...octocat, password: 'x'.repeat(8200) }), storage()));
    expect(told.code).toBe('CREDENTIAL_INVALID');
    expect(told.message).toContain(`${prefix}/https/git.example.com/octocat/_ would be larger than 8 KB`);
  });

  it.each(['\n', '\r', '\0'])(
    'refuses a password that contains %j, without repeating it',
    async (character) => {
      const told = await failureOf(store(asked({ ...octocat, password: `secret${character}x` }), storage()));
      expect(told.code).toBe('CREDENTIAL_INVALID');
      expect(told.message + told.hint).not.toContain('secret');
      expect(calls()).toEqual([]);
    },
  );

  it.each<[string, Credential & Partial<Request>]>([
    ['no password', { username: 'octocat' }],
    ['no user name', { password: 'x' }],
    ['an ephemeral one', { ...octocat, ephemeral: '1' }],
    ['an expired one', { ...octocat, password_expiry_utc: String(now) }],
    ['one for http', { ...octocat, protocol: 'http' }],
    ['one for no host', { ...octocat, host: '' }],
    ['a scheme without its credential', { authtype: 'Bearer' }],
  ])('does nothing for %s', async (_, request) => {
    await store(asked(request), storage());
    expect(calls()).toEqual([]);
  });

  it('repeats the call if Parameter Store is busy', async () => {
    const error = { code: 'TooManyUpdates', message: 'There are concurrent updates.', status: 400 };
    world.aws.faults.order({ operation: 'ssm:PutParameter', fault: { error }, times: 3 });
    world.aws.faults.order({ operation: 'ssm:GetParametersByPath', fault: 'throttling', times: 1 });
    await store(asked(octocat), storage());
    expect(await getStored(asked(), storage())).toEqual(octocat);
  });
});

describe('the JSON of another server', () => {
  it.each(['ssm:GetParametersByPath', 'ssm:PutParameter'])(
    'as the answer to %s is an error',
    async (operation) => {
      world.aws.faults.order({ operation, fault: 'foreign', times: 1 });
      const { code, message } = await failureOf(store(asked(octocat), storage()));
      expect([code, message]).toEqual(['NETWORK_UNREACHABLE', expect.stringContaining('ssm')]);
    },
  );
});

describe('finding a credential', () => {
  it('prefers the latest one, and ignores expired ones', async () => {
    const at = (username: string, more: Credential = {}): Promise<void> =>
      store(asked({ username, password: 'x', ...more }), storage());
    for (const name of ['c', 'a', 'b']) {
      await at(name);
      await sleep(3);
    }
    expect(await getStored(asked(), storage())).toEqual({ username: 'b', password: 'x' });
    await at('d', { password_expiry_utc: String(now + 1) });
    expect(await getStored(asked(), storage())).toMatchObject({ username: 'd' });
    expect(await getStored(asked(), { ...storage(), nowSeconds: now + 1 })).toEqual({
      username: 'b',
      password: 'x',
    });
    expect(await getStored(asked({ username: 'A' }), storage())).toBeUndefined();
  });

  it('reads page after page', async () => {
    for (let user = 0; user < 23; user += 1)
      await store(
        asked({ username: `user${user}`, password: `of ${user}`, path: `p${user % 3}` }),
        storage(),
      );
    world.aws.forgetCalls();
    expect(await getStored(asked({ path: 'p0.git' }), storage())).toMatchObject({ username: 'user21' });
    expect(calls().length).toBe(3);
    await erase(asked({ path: 'p0' }), storage());
    const left = world.aws.parameters.under({ account: ACCOUNT, region: REGION }, prefix);
    expect(left.length).toBe(15);
  });

  it('names the parameter with a foreign value, without the value', async () => {
    world.put(`${prefix}/https/git.example.com/x/_`, 'ghp_0123456789');
    for (const work of [getStored(asked(), storage()), erase(asked(), storage())]) {
      const told = await failureOf(work);
      expect(told.code).toBe('CREDENTIAL_INVALID');
      expect(told.message).toContain(`${prefix}/https/git.example.com/x/_`);
      expect(told.message + told.hint).not.toContain('ghp_');
    }
  });

  it('does not call AWS if nothing can be stored', async () => {
    expect(await getStored(asked({ protocol: 'http' }), storage())).toBeUndefined();
    await erase(asked({ protocol: 'ssh' }), storage());
    expect(calls()).toEqual([]);
  });
});

describe('a denied call', () => {
  it.each<[string, string, string[]]>([
    ['ssm:GetParametersByPath', 'reading', ['ssm:GetParameter']],
    ['ssm:PutParameter', 'storing', ['ssm:GetParametersByPath']],
  ])('without %s is reported with the statement that allows it', async (action, doing, allowed) => {
    const told = await failureOf(store(asked(octocat), storage({}, allow(allowed, arn('*')))));
    expect(told.code).toBe('KEY_ACCESS_DENIED');
    expect(told.message).toContain(`${doing} the parameter ${prefix}/https/git.example.com/octocat`);
    expect(told.hint).toContain(`"Action":"${action}"`);
  });

  it('without ssm:DeleteParameter leaves the parameter', async () => {
    await store(asked(octocat), storage());
    const told = await failureOf(erase(asked(), storage({}, allow('ssm:GetParametersByPath', arn('*')))));
    expect(told.message).toContain('deleting the parameter');
    expect(await getStored(asked(), storage())).toEqual(octocat);
  });
});

describe('erasing a credential', () => {
  it('that is gone meanwhile is not an error', async () => {
    await store(asked(octocat), storage());
    const error = { code: 'ParameterNotFound', message: '', status: 400 };
    world.aws.faults.order({ operation: 'ssm:DeleteParameter', fault: { error }, times: 1 });
    await erase(asked(octocat), storage());
    expect(calls().at(-1)).toBe('DeleteParameter ParameterNotFound');
  });
});
