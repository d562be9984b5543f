import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { parseGitHubApp } from '../../src/github/app.ts';
import { installationToken, type TokenOptions } from '../../src/github/installation-token.ts';
import { revokeToken } from '../../src/github/api.ts';
import { leakOf } from '../support/failure-of.ts';
import { startGitHubApi, type App, type GitHubApi } from '../support/github/github-api.ts';

describe('a token of a GitHub App', () => {
  let github: GitHubApi;
  let app: App;
  let installation: number;
  let drift = 0;

  beforeAll(async () => {
    github = await startGitHubApi({ clock: () => new Date(Date.now() + drift) });
    app = github.createApp();
    installation = github.install(app, { owner: 'acme', repositories: ['lib', 'tools'] }).id;
    github.install(app, {
      owner: 'somebody',
      kind: 'users',
      repositories: ['dots'],
      permissions: { contents: 'read' },
    });
  });
  afterAll(async () => {
    await github.stop();
  });
  beforeEach(() => {
    drift = 0;
    github.forgetCalls();
    github.faults.clear();
  });

  const options = (more: Partial<TokenOptions> = {}): TokenOptions => ({
    repositories: ['acme/lib'],
    signal: new AbortController().signal,
    env: {},
    maxAttempts: 3,
    sleep: () => Promise.resolve(),
    clock: Date.now,
    signInKms: () => Promise.reject(new Error('no key is in KMS')),
    ...more,
  });
  const ask = (
    stored: Record<string, unknown> = {},
    more: Partial<TokenOptions> = {},
  ): ReturnType<typeof installationToken> =>
    installationToken(parseGitHubApp(app.stored(stored), '/ci/app'), options(more));
  const refusal = async (asking: Promise<unknown>): Promise<Failure> => {
    const failure = await asking.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(failure instanceof Failure)) throw new Error('it was not refused', { cause: failure });
    expect(leakOf(failure, app.privateKey.split('\n')[1] ?? '')).toBeUndefined();
    return failure;
  };
  const asked = (): unknown[] => github.calls.map(({ operation, parameters }) => [operation, parameters]);
  const tokensOf = (id: number): string => `POST /app/installations/${id}/access_tokens`;

  it('is for the requested repository, and allows to clone and push', async () => {
    const { username, password, expiresAt } = await ask();
    expect(asked()).toEqual([
      ['GET /repos/acme/lib/installation', {}],
      [tokensOf(installation), { repositories: ['lib'], permissions: { contents: 'write' } }],
    ]);
    expect(username).toBe('x-access-token');
    expect(['acme/lib', 'acme/tools'].map((name) => github.opens(password, name, 'write'))).toEqual([
      true,
      false,
    ]);
    expect(expiresAt).toBe(Math.floor((github.tokens.at(-1)?.expiresAt.getTime() ?? 0) / 1000));
  });

  it('of a known installation needs one call', async () => {
    await ask({ installation_id: installation, client_id: app.clientId });
    expect(github.calls.map(({ operation }) => operation)).toEqual([tokensOf(installation)]);
  });

  it('is for the stored repositories and permissions', async () => {
    await ask(
      { repositories: ['tools', 'acme/lib'], permissions: { metadata: 'read' } },
      { repositories: [] },
    );
    expect(asked().at(-1)).toEqual([
      tokensOf(installation),
      { repositories: ['tools', 'lib'], permissions: { metadata: 'read' } },
    ]);
  });

  it('of a user who grants read access only reads all repositories of the App', async () => {
    const { password } = await ask({}, { repositories: ['somebody'] });
    expect(asked().slice(0, 2)).toEqual([
      ['GET /orgs/somebody/installation', {}],
      ['GET /users/somebody/installation', {}],
    ]);
    expect(
      (['read', 'write'] as const).map((level) => github.opens(password, 'somebody/dots', level)),
    ).toEqual([true, false]);
  });

  it.each([
    {
      what: 'without the App',
      repository: 'acme/else',
      message: /acme\/else, and 127\.0\.0\.1:\d+ answered 404 Not Found$/,
      hint: /install the App there/,
    },
    {
      what: 'that its installation does not have',
      stored: { installation_id: 50_000_001 },
      repository: 'acme/else',
      message: /422 There is at least one repository/,
      hint: /access to these repositories/,
    },
    {
      what: 'with an unknown installation',
      stored: { installation_id: 7 },
      message: /404 Not Found$/,
      hint: /check "installation_id"/,
    },
    {
      what: 'with a permission that the App does not have',
      stored: { permissions: { issues: 'read' } },
      message: /422 The permissions/,
      hint: /those in "permissions"/,
    },
    {
      what: 'with an unknown App id',
      stored: { app_id: 99 },
      message: /404 Integration not found/,
      hint: /of the same App/,
    },
  ])('for a repository $what is PROVIDER_FAILED', async ({ stored, repository = 'acme/lib', ...wanted }) => {
    const failure = await refusal(ask(stored, { repositories: [repository] }));
    expect(failure.code).toBe('PROVIDER_FAILED');
    expect(failure.message).toMatch(wanted.message);
    expect(failure.hint).toMatch(wanted.hint);
  });

  it('signed by another App’s key is refused', async () => {
    const { code, message, hint } = await refusal(ask({ private_key: github.createApp().privateKey }));
    expect(code).toBe('PROVIDER_FAILED');
    expect(message).toMatch(/answered 401 A JSON web token could not be decoded$/);
    expect(hint).toMatch(/of the same App/);
  });

  it('accepts a clock that is a minute off, and reports a larger difference', async () => {
    drift = -55_000;
    await ask();
    drift = -300_000;
    expect((await refusal(ask())).hint).toMatch(
      /^set the clock of this machine: it is (299|300|301) seconds ahead$/,
    );
  });

  it('that is not for a stored repository is CREDENTIAL_INVALID, before GitHub is asked', async () => {
    const { code, message } = await refusal(ask({ repositories: ['lib'] }, { repositories: ['acme/tools'] }));
    expect([code, message]).toEqual([
      'CREDENTIAL_INVALID',
      '/ci/app is not for acme/tools: its "repositories" do not contain it',
    ]);
    expect(github.calls).toEqual([]);
  });

  it.each([
    ['acme/lib', ['partner/lib'], 'add "acme/lib" to "repositories" there, or remove "repositories"'],
    ['acme', ['partner/lib'], 'add repositories of acme to "repositories" there, or remove "repositories"'],
  ])('for %s is not one for %j, of another owner', async (wanted, repositories, hint) => {
    const failure = await refusal(ask({ repositories }, { repositories: [wanted] }));
    expect([failure.code, failure.message, failure.hint]).toEqual([
      'CREDENTIAL_INVALID',
      `/ci/app is not for ${wanted}: its "repositories" do not contain it`,
      hint,
    ]);
    expect(github.calls).toEqual([]);
  });

  it.each([['acme/lib'], ['ACME/Lib'], ['acme']])(
    'for %s leaves out what the App has of another owner',
    async (wanted) => {
      const repositories = ['partner/tools', 'Acme/lib', 'somebody/lib'];
      await ask({ repositories }, { repositories: [wanted] });
      expect(asked().at(-1)).toEqual([
        tokensOf(installation),
        { repositories: ['lib'], permissions: { contents: 'write' } },
      ]);
    },
  );

  it('for a wiki is one for its repository', async () => {
    const { password } = await ask({}, { repositories: ['acme/lib', 'acme/lib.wiki'] });
    expect(asked()).toEqual([
      ['GET /repos/acme/lib/installation', {}],
      [tokensOf(installation), { repositories: ['lib'], permissions: { contents: 'write' } }],
    ]);
    expect(github.opens(password, 'acme/lib', 'write')).toBe(true);
    github.forgetCalls();
    await ask({ repositories: ['lib'] }, { repositories: ['acme/lib.wiki'] });
    expect(asked()[0]).toEqual(['GET /repos/acme/lib/installation', {}]);
  });

  it('for a renamed repository tells to write its new name', async () => {
    const error = { code: 'Moved', message: 'Moved Permanently', status: 301 };
    github.faults.order({ operation: 'GET *', fault: { error }, times: 1 });
    const { code, message, hint } = await refusal(ask());
    expect([code, message]).toEqual(['PROVIDER_FAILED', expect.stringContaining('answered 301')]);
    expect(hint).toBe(
      `write the present name of the repository: acme/lib was renamed or moved, unless ${github.url} is not GitHub's API`,
    );
    github.faults.order({ operation: 'POST *', fault: { error }, times: 1 });
    expect((await refusal(ask())).hint).toBe(`check that ${github.url} is GitHub's API`);
  });

  it('without a repository and an installation is CREDENTIAL_INVALID', async () => {
    const { code, message } = await refusal(ask({}, { repositories: [] }));
    expect(code).toBe('CREDENTIAL_INVALID');
    expect(message).toMatch(/"installation_id"/);
  });

  it.each(['unavailable', 'internal-error', 'bad-gateway', 'throttling', 'reset', 'cut'] as const)(
    'is requested again after %s',
    async (fault) => {
      const waits: number[] = [];
      const sleep = (milliseconds: number): Promise<void> => Promise.resolve(void waits.push(milliseconds));
      github.faults.order({ operation: 'POST *', fault, times: 2 });
      await ask({}, { sleep });
      // GitHub says how long to wait if it limits calls. Other waits differ by half.
      const longest = fault === 'throttling' ? [1000, 1000] : [200, 400];
      const shortest = fault === 'throttling' ? longest : [100, 200];
      expect(waits).toHaveLength(2);
      waits.forEach((wait, at) => {
        expect(wait).toBeLessThanOrEqual(longest[at] ?? 0);
        expect(wait).toBeGreaterThanOrEqual(shortest[at] ?? 0);
      });
    },
  );

  it.each([
    ['unavailable', 'PROVIDER_FAILED', /answered 503 Unicorn$/],
    ['throttling', 'PROVIDER_FAILED', /answered 429 /],
    ['malformed', 'PROVIDER_FAILED', /is not GitHub's API$/],
    ['reset', 'NETWORK_UNREACHABLE', /did not answer \(.+\), tried 3 times$/],
  ] as const)('with the permanent fault %s is %s', async (fault, code, message) => {
    github.faults.order({ operation: '*', fault });
    const failure = await refusal(ask());
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
  });

  it('is aborted at the time limit, while GitHub is silent or asks to wait', async () => {
    for (const fault of ['hang', 'throttling'] as const) {
      github.faults.clear();
      github.faults.order({ operation: '*', fault });
      const stop = new AbortController();
      const { signal } = stop;
      const asking = refusal(
        ask({}, { signal, maxAttempts: 99, sleep: (wait) => setTimeout(wait, undefined, { signal }) }),
      );
      while (github.calls.length === 0) await setTimeout(5);
      stop.abort(new Failure('TIMEOUT', 'it took too long', { hint: '' }));
      expect((await asking).code).toBe('TIMEOUT');
      github.forgetCalls();
    }
  });

  it('does not work after it was revoked, and can be revoked twice', async () => {
    const { password } = await ask();
    await revokeToken(password, github.url, options());
    expect(github.opens(password, 'acme/lib', 'read')).toBe(false);
    await revokeToken(password, github.url, options());
    github.faults.order({ operation: 'DELETE *', fault: 'unavailable' });
    const failure = await refusal(revokeToken(password, github.url, options()));
    expect(failure.message).toMatch(/did not revoke the token: it answered 503/);
    expect(leakOf(failure, password)).toBeUndefined();
  });
});
